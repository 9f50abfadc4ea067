"""From what release files say to the concept tables of a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ontologies.content import REPLACED_COLUMNS, Content
from ontologies.hierarchy import break_cycles, closure
from ontologies.problems import Problems
from ontologies.schema import (
    CONCEPT_ANCESTORS,
    CONCEPT_NAMES,
    CONCEPT_REPLACEMENTS,
    CONCEPTS,
)

EXTRA = "EXTRA"
"""Lexical tag of names that were given beside the releases."""

_CHAIN = 20
"""Most renamings of one id that are followed; a longer chain is a circle."""


@dataclass(frozen=True)
class Tables:
    """The tables of one store, with what only its index needs.

    Attributes:
        concepts, names, ancestors, replacements: as declared in ``ontologies/schema.py``, sorted
            by their keys; names by concept, the preferred one first, then by alphabet.
        supplementary: for each concept, whether it stands outside the main vocabulary.
        counts: for each name, how often the extra names say it was used.
    """

    concepts: pl.DataFrame
    names: pl.DataFrame
    ancestors: pl.DataFrame
    replacements: pl.DataFrame
    supplementary: pl.Series
    counts: pl.Series


def make_tables(
    contents: Sequence[tuple[Path, Content]],
    extra: pl.DataFrame,
    replaced: pl.DataFrame,
    problems: Problems,
    release_id: str,
) -> Tables:
    """Unite the sources of a store.

    Args:
        contents: what each source says; of a concept that several define the first is kept, where
            problems are lenient.
        extra: further names, columns ``concept_id``, ``name`` and ``count``.
        replaced: further replacements, columns ``old_id`` and ``concept_id``.
        problems: is told of concepts defined twice, cycles, and names of unknown concepts.
        release_id: stands on every row.

    Raises:
        OntologyError: for a problem, unless lenient.
    """
    concepts = pl.concat(
        content.concepts.with_columns(source=pl.lit(number))
        for number, (_, content) in enumerate(contents)
    )
    concepts = _first_definitions(concepts, [path for path, _ in contents], problems)
    moved = resolve(pl.concat([*(content.replaced for _, content in contents), replaced]), concepts)
    # Where a concept and one that it replaces are both there, its own words come first.
    concepts = (
        concepts.with_columns(was=pl.col("concept_id"))
        .pipe(_moved, moved)
        .sort("concept_id", pl.col("was") != pl.col("concept_id"), "source", "line")
    )
    names = _names(concepts, [content.names for _, content in contents], extra, moved, problems)
    concepts = concepts.unique("concept_id", keep="first", maintain_order=True)
    concepts = _take_over_branches(concepts)
    parents = pl.concat(content.parents for _, content in contents)
    parents = _moved(_moved(parents, moved), moved, "parent_id")
    parents = parents.filter(pl.col("concept_id") != pl.col("parent_id"))
    parents = _without_cycles(parents, [path for path, _ in contents], problems)
    stamp = pl.lit(release_id).alias("release_id")
    return Tables(
        concepts=CONCEPTS.conform(
            concepts.rename({"actions": "pharmacological_actions"}).with_columns(stamp)
        ),
        names=CONCEPT_NAMES.conform(names.with_columns(stamp)),
        ancestors=CONCEPT_ANCESTORS.conform(closure(concepts, parents).with_columns(stamp)),
        replacements=CONCEPT_REPLACEMENTS.conform(moved.with_columns(stamp)),
        supplementary=concepts["is_supplementary"],
        counts=names["count"],
    )


def resolve(replaced: pl.DataFrame, concepts: pl.DataFrame) -> pl.DataFrame:
    """Which id leads to which concept, chains followed to their end.

    An id that two different ones are said to replace is left out: nothing tells which. So is a
    chain that ends at no concept, or in a circle. A replacement that is not in the releases itself
    takes over the old concept, if that is.

    Returns:
        Columns ``old_id`` and ``concept_id``, sorted.
    """
    pairs = replaced.filter(pl.col("old_id") != pl.col("concept_id")).unique()
    pairs = pairs.filter(pl.len().over("old_id") == 1)
    step = pairs.select(concept_id="old_id", following="concept_id")
    for _ in range(_CHAIN):
        further = pairs.join(step, on="concept_id", how="left")
        if further["following"].null_count() == len(further):
            break
        pairs = further.select("old_id", concept_id=pl.coalesce("following", "concept_id"))
    else:
        pairs = pairs.join(step, on="concept_id", how="anti")
    there = concepts.select("concept_id")
    known = pairs.join(there, on="concept_id", how="semi")
    # Ids of a newer release than the one at hand: the old concept goes by the new id.
    newer = pairs.join(there, on="concept_id", how="anti").join(
        there, left_on="old_id", right_on="concept_id", how="semi"
    )
    found = pl.concat([known, newer]) if len(pairs) else pl.DataFrame(schema=REPLACED_COLUMNS)
    return found.sort("old_id")


def _moved(frame: pl.DataFrame, moved: pl.DataFrame, column: str = "concept_id") -> pl.DataFrame:
    """The frame with the old ids of a column replaced."""
    if moved.is_empty():
        return frame
    new = moved.select(pl.col("old_id").alias(column), new_id="concept_id")
    return (
        frame.join(new, on=column, how="left", maintain_order="left")
        .with_columns(pl.coalesce("new_id", column).alias(column))
        .drop("new_id")
    )


def _first_definitions(
    concepts: pl.DataFrame, paths: Sequence[Path], problems: Problems
) -> pl.DataFrame:
    """Concepts defined once; the further definitions are problems."""
    first = pl.col("concept_id").is_first_distinct()
    again = concepts.filter(~first)
    if again.is_empty():
        return concepts
    before = concepts.filter(first).join(again, on="concept_id", how="semi")
    places = {row["concept_id"]: row for row in before.iter_rows(named=True)}
    for row in again.iter_rows(named=True):
        place = places[row["concept_id"]]
        problems.report(
            paths[row["source"]],
            row["line"] or None,
            f"{row['concept_id']} is already defined at {_place(paths, place)}",
            "give each release file once",
        )
    return concepts.filter(first)


def _place(paths: Sequence[Path], row: dict[str, Any]) -> str:
    """File and line of a concept; formats that are not line by line have no line."""
    path = paths[row["source"]]
    return f"{path}:{row['line']}" if row["line"] else str(path)


def _names(
    concepts: pl.DataFrame,
    given: Sequence[pl.DataFrame],
    extra: pl.DataFrame,
    moved: pl.DataFrame,
    problems: Problems,
) -> pl.DataFrame:
    """One row a concept and name: the preferred one first, the others by alphabet."""
    first = pl.col("concept_id").is_first_distinct()
    preferred = concepts.filter(first).select("concept_id", preferred="concept_name")
    added = _moved(extra, moved)
    known = added.join(preferred, on="concept_id", how="semi")
    if unknown := len(added) - len(known):
        problems.note(f"{unknown:,} extra names belong to concepts that no release file has")
    counts = known.group_by("concept_id", "name").agg(pl.col("count").sum())
    names = (
        pl.concat(
            [
                *(_moved(names, moved) for names in given),
                concepts.select("concept_id", name="concept_name"),
                known.select("concept_id", "name", lexical_tag=pl.lit(EXTRA)),
            ],
            how="diagonal",
        )
        .unique(["concept_id", "name"], keep="first", maintain_order=True)
        .join(preferred, on="concept_id", maintain_order="left")
        .with_columns(is_preferred=pl.col("name") == pl.col("preferred"))
        .drop("preferred")
        .sort("concept_id", "is_preferred", "name", descending=[False, True, False])
    )
    return names.join(
        counts, on=["concept_id", "name"], how="left", maintain_order="left"
    ).with_columns(pl.col("count").fill_null(0))


def _take_over_branches(concepts: pl.DataFrame) -> pl.DataFrame:
    """Give mapped concepts the types of the concepts they are mapped to, besides their own."""
    own = concepts.select("concept_id", type="semantic_types")
    mapped = concepts.select("concept_id", target="mapped_to").explode(
        "target", empty_as_null=False
    )
    taken = mapped.join(own, left_on="target", right_on="concept_id").select("concept_id", "type")
    # Polars sorts lists one by one, a hundred times slower than rows.
    types = (
        pl.concat([own, taken])
        .explode("type", empty_as_null=False)
        .unique()
        .sort("concept_id", "type")
        .group_by("concept_id", maintain_order=True)
        .agg(semantic_types="type")
    )
    none = pl.lit([], dtype=pl.List(pl.String))
    return (
        concepts.drop("semantic_types")
        .join(types, on="concept_id", how="left", maintain_order="left")
        .with_columns(pl.col("semantic_types").fill_null(none))
    )


def _without_cycles(
    parents: pl.DataFrame, paths: Sequence[Path], problems: Problems
) -> pl.DataFrame:
    """The parents without edges that close a cycle.

    Of a release that unites vocabularies (UMLS) cycles are known and only noted; elsewhere they
    are a problem.
    """
    edges, cycles = break_cycles(parents)
    united = not parents["vocabulary"].null_count()
    for cycle in cycles:
        words = f"a cycle of parents: {' > '.join([*cycle, cycle[0]])}"
        if united:
            problems.note(words)
        else:
            problems.report(paths[0], None, words, "mend the file, or build with --lenient")
    return edges
