"""What was gained and lost between two annotation sets that stand side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flows.comparing.concepts import (
    ConceptCounts,
    ConceptDiff,
    compare_concepts,
    concept_counts,
    concept_diffs,
)
from flows.comparing.documents import DocumentCounts, compare_documents
from flows.comparing.mentions import (
    LabelDiff,
    NameDiff,
    Relabelling,
    label_diffs,
    name_diffs,
    pair_mentions,
    relabellings,
)
from flows.comparing.sides import Side, find_side
from flows.errors import CharthouseError
from flows.warehouse.access import Access
from flows.warehouse.connection import Connection, read_warehouse

MOST_CONCEPTS = 10


@dataclass(frozen=True)
class RunCounts:
    """What a run did to the documents; ``documents`` are those that are its work still."""

    run_id: str
    status: str
    read: int
    new: int | None
    replaced: int | None
    metadata_updated: int | None
    deleted: int | None
    rejected: int | None
    documents: int


@dataclass(frozen=True)
class SameSet:
    """Both sides are one annotation set: what differs between the runs is documents."""

    side: Side
    runs: tuple[RunCounts, ...]


@dataclass(frozen=True)
class Diff:
    """Two annotation sets compared; ``settings`` names what of their settings is not the same."""

    before: Side
    after: Side
    settings: tuple[str, ...]
    documents: DocumentCounts
    labels: tuple[LabelDiff, ...]
    relabellings: tuple[Relabelling, ...]
    concepts: tuple[ConceptCounts, ...]
    top_concepts: tuple[ConceptDiff, ...]
    names: tuple[NameDiff, ...]


def diff(
    warehouse: Path, before: str, after: str, *, names: int = 0, access: Access | None = None
) -> Diff | SameSet:
    """Compare two annotation sets of a warehouse over the documents that both cover.

    Args:
        warehouse: opened for reading only.
        before: a run, an annotation set, or a word for one (see
            :func:`flows.comparing.sides.find_side`).
        after: the same.
        names: so many of the most frequent names lost and gained are told, which are text of
            documents; 0 tells none.
        access: how the warehouse is opened.

    Raises:
        CharthouseError: a side is not known, or the warehouse holds no document of it any more.
    """
    with read_warehouse(warehouse, access or Access()) as connection:
        sides = find_side(connection, before), find_side(connection, after)
        if sides[0].annotation_id == sides[1].annotation_id:
            return _same(connection, *sides)
        for side in sides:
            if not side.documents:
                raise CharthouseError(
                    f"the warehouse holds nothing of annotation set {side.name} any more",
                    "A set is replaced by the next one, unless that run has --keep-previous",
                )
        return _compare(connection, *sides, names)


def _compare(connection: Connection, before: Side, after: Side, names: int) -> Diff:
    ids = before.annotation_id, after.annotation_id
    documents = compare_documents(connection, *ids)
    pair_mentions(connection, *ids)
    compare_concepts(connection, *ids)
    keys = sorted({*before.settings, *after.settings})
    return Diff(
        before=before,
        after=after,
        settings=tuple(k for k in keys if before.settings.get(k) != after.settings.get(k)),
        documents=documents,
        labels=tuple(label_diffs(connection)),
        relabellings=tuple(relabellings(connection)),
        concepts=tuple(concept_counts(connection)),
        top_concepts=tuple(concept_diffs(connection, MOST_CONCEPTS)),
        names=tuple(name_diffs(connection, names)) if names else (),
    )


def _same(connection: Connection, before: Side, after: Side) -> SameSet:
    runs = [side.run_id for side in (before, after) if side.run_id]
    rows = connection.execute(
        "SELECT run_id, status, read, new, replaced, metadata_updated, deleted, rejected, "
        "(SELECT count(*) FROM document_annotations a WHERE a.run_id = r.run_id) "
        "FROM runs r WHERE list_contains(?, run_id) ORDER BY run_id",
        [runs],
    ).fetchall()
    return SameSet(before, tuple(RunCounts(*row) for row in rows))
