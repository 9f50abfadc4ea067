"""Conservation: nothing lost, nothing doubled between the sources and the ledger."""

from __future__ import annotations

from dataclasses import asdict

from flows.counts import PlanCounts, counts_of
from flows.errors import CharthouseError
from flows.warehouse.connection import Connection

_NOT_OF_RECORDS = {"read", "pruned"}


class ConservationError(CharthouseError):
    """Numbers that must agree do not. Names counts only."""


def check_plan(counts: PlanCounts) -> None:
    """Check that every record read has become exactly one thing.

    Raises:
        ConservationError: it has not.
    """
    became = {name: n for name, n in asdict(counts).items() if name not in _NOT_OF_RECORDS}
    if counts.read != sum(became.values()):
        told = " + ".join(f"{count:,} {name}" for name, count in became.items() if count)
        raise _breach(f"{counts.read:,} records were read, and {told or 'none'} are accounted for")


def check_run(connection: Connection, run_id: str) -> None:
    """Check that every document planned by a run ended in the ledger, once.

    Looked at are the run's counts, its shards, its rows in the ledger, the versions in
    ``documents`` that these name, and the rejects of documents that could not be annotated.

    Args:
        connection: the open warehouse.
        run_id: a run all shards of which are done.

    Raises:
        ConservationError: some are missing or there twice.
    """
    counts = counts_of(connection, run_id)
    check_plan(counts)
    documents, failed = all_loaded(connection, run_id)
    ((ledger, rejected),) = connection.execute(
        "SELECT count(*), count(*) FILTER (status = 'rejected') FROM document_annotations "
        "WHERE run_id = ?",
        [run_id],
    ).fetchall()
    ((stored,),) = connection.execute(
        "SELECT count(*) FROM document_annotations a JOIN documents d USING (document_id) "
        "WHERE a.run_id = ? AND d.source_hash = a.source_hash AND NOT d.is_deleted",
        [run_id],
    ).fetchall()
    agree(
        {
            "documents to annotate": counts.new + counts.replaced,
            "in shards": documents,
            "in the ledger": ledger,
            "stored": stored,
        }
    )
    told = rejects_of(connection, run_id, "annotate")
    agree({"documents that failed": failed, "in the ledger": rejected, "in rejects": told})


def all_loaded(connection: Connection, run_id: str) -> tuple[int, int]:
    """What a run's shards hold, and how much of it failed.

    Raises:
        ConservationError: a shard that was planned is not loaded.
    """
    ((shards, loaded, held, failed),) = connection.execute(
        "SELECT count(*), count(*) FILTER (status = 'loaded'), coalesce(sum(documents), 0), "
        "coalesce(sum(rejected), 0) FROM shards WHERE run_id = ?",
        [run_id],
    ).fetchall()
    agree({"shards planned": shards, "loaded": loaded})
    return int(held), int(failed)


def rejects_of(connection: Connection, run_id: str, stage: str) -> int:
    """How many rejects a stage of a run has left."""
    ((told,),) = connection.execute(
        "SELECT count(*) FROM rejects WHERE run_id = ? AND stage = ?", [run_id, stage]
    ).fetchall()
    return int(told)


def agree(found: dict[str, int]) -> None:
    """Check that counts of the same are the same.

    Raises:
        ConservationError: they are not.
    """
    if len(set(found.values())) > 1:
        raise _breach(", ".join(f"{count:,} {name}" for name, count in found.items()))


def _breach(problem: str) -> ConservationError:
    return ConservationError(
        f"the run does not add up: {problem}",
        "What was loaded is kept, and the run's sources are read again by the next run. Please "
        "report this",
    )
