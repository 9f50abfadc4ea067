"""The end of a run: checked for losses, counted in Prefect, closed in the warehouse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from prefect.artifacts import create_table_artifact

from flows.conservation import ConservationError
from flows.progress import Reporter
from flows.session import Session
from flows.warehouse import runs
from flows.warehouse.connection import Connection
from flows.work import remove_tree


@dataclass(frozen=True)
class RunTable:
    """A table for Prefect to show, under a key of its own. Numbers and fixed words only."""

    key: str
    rows: Sequence[Mapping[str, object]]
    description: str


def offer(reporter: Reporter, what: str, tables: Iterable[RunTable]) -> None:
    """Give tables to Prefect; that it does not take them is told and does no harm.

    Args:
        reporter: is told.
        what: the tables, in words.
        tables: where they are yielded, an error of making them does no harm either.
    """
    try:
        for table in tables:
            rows = [dict(row) for row in table.rows]
            create_table_artifact(key=table.key, table=rows, description=table.description)
    except Exception as error:  # the work is complete, whatever Prefect says
        reporter.say(f"Prefect did not take {what} ({type(error).__name__})")


def end_run(
    session: Session,
    check: Callable[[Connection, str], None],
    tables: Callable[[Session], Iterable[RunTable]],
    seconds: Mapping[str, float],
) -> None:
    """Check that nothing was lost, leave the counts in Prefect, and end the run.

    Args:
        session: the run; all its shards are done.
        check: compares the run's counts.
        tables: yields what Prefect is given.
        seconds: by stage, for the warehouse.

    Raises:
        ConservationError: something was lost; the run is marked as failed.
    """
    session.handover.close()
    try:
        check(session.connection, session.run_id)
    except ConservationError:
        runs.fail_run(session.connection, session.run_id)
        raise
    offer(session.reporter, "the tables of counts", tables(session))
    runs.finish_run(session.connection, session.run_id, seconds)
    remove_tree(session.work.run(session.run_id))
