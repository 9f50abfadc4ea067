"""The transitive closure of a hierarchy: of tree numbers, and of stated parents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from scipy import sparse
from scipy.sparse.csgraph import connected_components


def closure(concepts: pl.DataFrame, parents: pl.DataFrame | None = None) -> pl.DataFrame:
    """Ancestors of every concept, itself at distance 0.

    A tree number names its ancestors: every prefix that ends at a dot is one. A concept with
    several tree numbers has the ancestors of all, each at the fewest steps. A prefix no concept
    carries is passed over; distance counts levels of the tree.

    Stated parents are followed within the vocabulary that states them, never across: what two
    vocabularies say together neither of them means. Parents that are no concept are passed over.

    Args:
        concepts: columns ``concept_id`` and ``tree_numbers`` (list of strings).
        parents: columns ``concept_id``, ``parent_id`` and ``vocabulary``, without cycles.

    Returns:
        Columns ``concept_id``, ``ancestor_id``, ``distance`` and ``vocabularies`` (who states it;
        empty where tree numbers do), sorted by the first two.
    """
    own = concepts.select("concept_id", ancestor_id="concept_id", distance=pl.lit(0, pl.Int32))
    levels = [own, *_tree_levels(concepts)]
    pairs = pl.concat(levels).with_columns(vocabulary=pl.lit(None, pl.String))
    if parents is not None and not parents.is_empty():
        pairs = pl.concat([pairs, *_stated_levels(concepts, parents)])
    return (
        pairs.group_by("concept_id", "ancestor_id")
        .agg(
            pl.col("distance").min(),
            vocabularies=pl.col("vocabulary").drop_nulls().unique().sort(),
        )
        .sort("concept_id", "ancestor_id")
        .cast({"distance": pl.Int32})
    )


def _tree_levels(concepts: pl.DataFrame) -> Iterator[pl.DataFrame]:
    numbers = (
        concepts.select("concept_id", tree_number="tree_numbers")
        .explode("tree_number", empty_as_null=False)
        .drop_nulls("tree_number")
    )
    if numbers.is_empty():
        return
    holders = numbers.rename({"concept_id": "ancestor_id", "tree_number": "prefix"})
    parts = numbers.select("concept_id", part=pl.col("tree_number").str.split(".")).with_columns(
        depth=pl.col("part").list.len().cast(pl.Int32)
    )
    deepest = parts.select(pl.col("depth").max()).item()
    for depth in range(1, deepest):
        below = parts.filter(pl.col("depth") > depth).select(
            "concept_id",
            prefix=pl.col("part").list.head(depth).list.join("."),
            distance=pl.col("depth") - depth,
        )
        yield below.join(holders, on="prefix").select("concept_id", "ancestor_id", "distance")


def _stated_levels(concepts: pl.DataFrame, parents: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Breadth first: the pairs of distance 1, then those of 2 that were not seen before, ..."""
    known = concepts.select("concept_id")
    edges = (
        parents.select("concept_id", "parent_id", "vocabulary")
        .unique()
        .join(known, on="concept_id", how="semi")
        .join(known, left_on="parent_id", right_on="concept_id", how="semi")
    )
    steps = edges.select(ancestor_id="concept_id", above="parent_id", vocabulary="vocabulary")
    keys = ["concept_id", "ancestor_id", "vocabulary"]
    fresh = edges.select("concept_id", pl.col("parent_id").alias("ancestor_id"), "vocabulary")
    seen, distance = fresh, 1
    while not fresh.is_empty():
        yield fresh.select(
            "concept_id", "ancestor_id", pl.lit(distance, pl.Int32).alias("distance"), "vocabulary"
        )
        fresh = (
            fresh.join(steps, on=["ancestor_id", "vocabulary"], nulls_equal=True)
            .select("concept_id", pl.col("above").alias("ancestor_id"), "vocabulary")
            .unique()
            .join(seen, on=keys, how="anti", nulls_equal=True)
        )
        seen = pl.concat([seen, fresh])
        distance += 1


def break_cycles(parents: pl.DataFrame) -> tuple[pl.DataFrame, list[tuple[str, ...]]]:
    """Drop the edges that close a cycle within a vocabulary.

    Concepts are visited by ascending id, parents first by ascending id, and an edge back to a
    concept that is still being visited is dropped: the same edges on every machine.

    Args:
        parents: columns ``concept_id``, ``parent_id`` and ``vocabulary``.

    Returns:
        The edges that are left, sorted, and each cycle that was broken as the ids along it, the
        dropped edge leading from the last to the first.
    """
    kept, cycles = [parents.clear()], []
    edges = parents.unique().sort("vocabulary", "concept_id", "parent_id")
    for (_,), group in edges.group_by("vocabulary", maintain_order=True):
        dropped, found = _back_edges(group)
        kept.append(group.filter(~pl.Series(dropped, dtype=pl.Boolean)))
        cycles += found
    return pl.concat(kept), cycles


def _back_edges(edges: pl.DataFrame) -> tuple[list[bool], list[tuple[str, ...]]]:
    """Which of a vocabulary's edges close a cycle; only its tangled parts are walked."""
    ids = pl.concat([edges["concept_id"], edges["parent_id"]]).unique().sort()
    number = {concept_id: row for row, concept_id in enumerate(ids)}
    child = np.array([number[c] for c in edges["concept_id"]], dtype=np.int64)
    parent = np.array([number[c] for c in edges["parent_id"]], dtype=np.int64)
    graph = sparse.csr_matrix((np.ones(len(child)), (child, parent)), shape=(len(ids), len(ids)))
    _, part = connected_components(graph, directed=True, connection="strong")
    tangled = np.flatnonzero(part[child] == part[parent])
    above: dict[int, list[tuple[int, int]]] = {}
    for edge in tangled.tolist():
        above.setdefault(int(child[edge]), []).append((int(parent[edge]), edge))
    dropped = [False] * len(edges)
    cycles = []
    for path, edge in _closing(above):
        dropped[edge] = True
        cycles.append(tuple(ids[row] for row in path))
    return dropped, cycles


def _closing(above: dict[int, list[tuple[int, int]]]) -> Iterator[tuple[Sequence[int], int]]:
    """Depth-first walk: each edge that leads back into the path walked, with that cycle."""
    done: set[int] = set()
    for start in sorted(above):
        path: list[int] = []
        on_path: set[int] = set()
        walk = [(start, iter(above[start]))] if start not in done else []
        if walk:
            path.append(start)
            on_path.add(start)
        while walk:
            here, rest = walk[-1]
            step = next(rest, None)
            if step is None:
                walk.pop()
                path.pop()
                on_path.discard(here)
                done.add(here)
                continue
            there, edge = step
            if there in on_path:
                yield path[path.index(there) :], edge
            elif there not in done:
                walk.append((there, iter(above.get(there, []))))
                path.append(there)
                on_path.add(there)
