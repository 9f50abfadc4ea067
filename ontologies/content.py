"""What a release says, as frames: the form that every format is read into.

Frames and not objects, because UMLS has nine million names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import polars as pl

from ontologies.concept import Concept
from ontologies.problems import Problems
from ontologies.table import PolarsType

_BATCH = 20_000

_TEXTS = pl.List(pl.String)

CONCEPT_COLUMNS: dict[str, PolarsType] = {
    "concept_id": pl.String,
    "concept_name": pl.String,
    "semantic_types": _TEXTS,
    "tree_numbers": _TEXTS,
    "definition": pl.String,
    "registry_numbers": _TEXTS,
    "actions": _TEXTS,
    "mapped_to": _TEXTS,
    "is_supplementary": pl.Boolean,
    "line": pl.Int64,
}
NAME_COLUMNS: dict[str, PolarsType] = {
    "concept_id": pl.String,
    "name": pl.String,
    "lexical_tag": pl.String,
    "relation": pl.String,
    "vocabulary": pl.String,
}
PARENT_COLUMNS: dict[str, PolarsType] = {
    "concept_id": pl.String,
    "parent_id": pl.String,
    "vocabulary": pl.String,
}
EXTRA_COLUMNS: dict[str, PolarsType] = {
    "concept_id": pl.String,
    "name": pl.String,
    "count": pl.Int64,
}
REPLACED_COLUMNS: dict[str, PolarsType] = {"old_id": pl.String, "concept_id": pl.String}


@dataclass(frozen=True)
class ReadOptions:
    """What of a release is read. Part of the store's fingerprint, but for ``problems``.

    Attributes:
        languages: of UMLS names, as in the column LAT.
        vocabularies: source vocabularies, as in the column SAB; none for all.
        semantic_types: type codes; concepts with none of them are left out. None for all.
        suppressed: also take what the release marks as suppressed or obsolete.
        hierarchy: read who is whose parent where that costs much (UMLS's MRREL).
        problems: what to do about rows that cannot be used.
    """

    languages: tuple[str, ...] = ("ENG",)
    vocabularies: tuple[str, ...] = ()
    semantic_types: tuple[str, ...] = ()
    suppressed: bool = False
    hierarchy: bool = False
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class Content:
    """The frames of one release file or folder, their columns as in ``*_COLUMNS`` above.

    Attributes:
        concepts: one row a concept, in file order; an id may stand twice, which the builder
            reports with both lines.
        names: names of concepts; the preferred one may be missing, for ``concept_name`` is it. Of
            rows that repeat a name of a concept the first is kept.
        parents: what a concept is a kind of; ``vocabulary`` is who says so.
        replaced: ids of earlier releases and the concept that took their place.
        version: the release's own version, for example ``2026`` or ``2026AA``, if it says one.
    """

    concepts: pl.DataFrame
    names: pl.DataFrame
    parents: pl.DataFrame
    replaced: pl.DataFrame
    version: str | None = None


def gather(concepts: Iterable[Concept], version: str | None = None) -> Content:
    """Frames of a stream of concepts; never more than some thousand of them are held."""
    parts: list[Content] = [_frames([])]
    stream = iter(concepts)
    while batch := list(islice(stream, _BATCH)):
        parts.append(_frames(batch))
    return Content(
        concepts=pl.concat(part.concepts for part in parts),
        names=pl.concat(part.names for part in parts),
        parents=pl.concat(part.parents for part in parts),
        replaced=pl.concat(part.replaced for part in parts),
        version=version,
    )


def _frames(concepts: Sequence[Concept]) -> Content:
    def frame(rows: list[tuple[Any, ...]], schema: dict[str, PolarsType]) -> pl.DataFrame:
        return pl.DataFrame(rows, schema=schema, orient="row")

    return Content(
        concepts=frame(
            [tuple(getattr(c, column) for column in CONCEPT_COLUMNS) for c in concepts],
            CONCEPT_COLUMNS,
        ),
        names=frame(
            [
                (c.concept_id, n.text, n.lexical_tag, n.relation, n.vocabulary)
                for c in concepts
                for n in c.names
            ],
            NAME_COLUMNS,
        ),
        parents=frame(
            [(c.concept_id, parent, None) for c in concepts for parent in c.parents],
            PARENT_COLUMNS,
        ),
        replaced=frame(
            [(old, c.concept_id) for c in concepts for old in c.replaces], REPLACED_COLUMNS
        ),
    )
