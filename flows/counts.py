"""What planning found, in numbers."""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True)
class Preview:
    """What a run would do: counts and the characters to annotate."""

    counts: PlanCounts
    documents: int
    characters: int
