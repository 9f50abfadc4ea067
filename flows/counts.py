"""What planning found, in numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields

from flows.warehouse.connection import Connection


@dataclass(frozen=True)
class PlanCounts:
    """Records by what became of them; the columns of ``runs``.

    ``pruned`` counts documents without a record, all others count records.
    """

    read: int
    skipped: int
    duplicates: int
    superseded: int
    new: int
    replaced: int
    metadata_updated: int
    deleted: int
    rejected: int
    pruned: int = 0
    forgotten: int = 0


def counts_of(connection: Connection, run_id: str) -> PlanCounts:
    """What a run has planned; what it has not counted is 0."""
    names = [field.name for field in fields(PlanCounts)]
    columns = ", ".join(f"coalesce({name}, 0)" for name in names)
    (row,) = connection.execute(f"SELECT {columns} FROM runs WHERE run_id = ?", [run_id]).fetchall()
    return PlanCounts(**dict(zip(names, row, strict=True)))


@dataclass(frozen=True)
class Preview:
    """What a run would do: counts and the characters to annotate."""

    counts: PlanCounts
    documents: int
    characters: int
