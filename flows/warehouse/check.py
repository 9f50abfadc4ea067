"""Whether a warehouse is sound: named checks, each a query for the rows that breach it."""

from __future__ import annotations

from dataclasses import dataclass

from flows.schema import TABLES
from flows.warehouse.check_derived import COUNTED_CHECKS, DERIVED_CHECKS
from flows.warehouse.check_generated import GENERATED_CHECKS
from flows.warehouse.check_quality import QUALITY_CHECKS
from flows.warehouse.check_spans import SPAN_CHECKS
from flows.warehouse.check_tables import TABLE_CHECKS
from flows.warehouse.checks import Check
from flows.warehouse.connection import Connection
from flows.warehouse.ddl import create_table
from flows.warehouse.derived.state import outdated
from flows.warehouse.layout import tables_there
from flows.warehouse.runs import GENERATES

CHECKS: tuple[Check, ...] = (
    *TABLE_CHECKS,
    *SPAN_CHECKS,
    *GENERATED_CHECKS,
    *DERIVED_CHECKS,
    *QUALITY_CHECKS,
)
"""All checks, in the order in which they are told."""

MOST_SUBJECTS = 20
"""So many ids of breaching rows are named at most, where ids are asked for."""


@dataclass(frozen=True)
class Finding:
    """The outcome of a check.

    ``breaches`` is None where it was left out: it holds only while no run is open, or is about the
    rows of derived tables that another release made. ``subjects`` are ids of what breaches it,
    empty unless they were asked for.
    """

    name: str
    meaning: str
    breaches: int | None
    subjects: tuple[str, ...] = ()


def check_warehouse(connection: Connection, *, show_ids: bool = False) -> list[Finding]:
    """Run every check on an open warehouse; nothing is changed.

    Args:
        connection: the warehouse; one of an older release may lack tables: they count as empty.
        show_ids: name documents, shards, runs or names that breach a check; they may identify
            people.
    """
    there = tables_there(connection)
    former = any(table.name in there for table in outdated(connection))
    for table in TABLES:
        if table.name not in there:  # beside a warehouse that is only read
            connection.execute(create_table(table, keyed=False).replace("TABLE", "TEMP TABLE", 1))
    settled = _is_settled(connection)
    left_out = {
        check.name
        for check in CHECKS
        if (check.settled_only and not settled) or (former and check in COUNTED_CHECKS)
    }
    return [
        Finding(check.name, check.meaning, None)
        if check.name in left_out
        else _run(connection, check, show_ids)
        for check in CHECKS
    ]


def _is_settled(connection: Connection) -> bool:
    """Whether the latest run came to its end: before it, names may wait for their links.

    Runs of generation write no names.
    """
    statuses = connection.execute(
        f"SELECT status FROM runs WHERE NOT {GENERATES} ORDER BY started_at, run_id"
    ).fetchall()
    return not statuses or (("running",) not in statuses and statuses[-1] == ("done",))


def _run(connection: Connection, check: Check, show_ids: bool) -> Finding:
    ((breaches,),) = connection.execute(f"SELECT count(*) FROM ({check.query})").fetchall()
    subjects: tuple[str, ...] = ()
    if breaches and show_ids:
        rows = connection.execute(
            f"SELECT DISTINCT subject FROM ({check.query}) ORDER BY 1 LIMIT {MOST_SUBJECTS}"
        ).fetchall()
        subjects = tuple(str(subject) for (subject,) in rows)
    return Finding(check.name, check.meaning, breaches, subjects)
