"""The transitive closure of a hierarchy that is written in tree numbers."""

from __future__ import annotations

import polars as pl


def closure(concepts: pl.DataFrame) -> pl.DataFrame:
    """Ancestors of every concept, itself at distance 0.

    A tree number names its ancestors: every prefix that ends at a dot is one. A concept with
    several tree numbers has the ancestors of all, each at the fewest steps. A prefix no concept
    carries is passed over; distance counts levels of the tree.

    Args:
        concepts: columns ``concept_id`` and ``tree_numbers`` (list of strings).

    Returns:
        Columns ``concept_id``, ``ancestor_id``, ``distance``, sorted by the first two.
    """
    own = concepts.select("concept_id", ancestor_id="concept_id", distance=pl.lit(0, pl.Int32))
    numbers = (
        concepts.select("concept_id", tree_number="tree_numbers")
        .explode("tree_number", empty_as_null=False)
        .drop_nulls("tree_number")
    )
    if numbers.is_empty():
        return own.sort("concept_id")
    holders = numbers.rename({"concept_id": "ancestor_id", "tree_number": "prefix"})
    parts = numbers.select("concept_id", part=pl.col("tree_number").str.split(".")).with_columns(
        depth=pl.col("part").list.len().cast(pl.Int32)
    )
    deepest = parts.select(pl.col("depth").max()).item()
    levels = [own]
    for depth in range(1, deepest):
        below = parts.filter(pl.col("depth") > depth).select(
            "concept_id",
            prefix=pl.col("part").list.head(depth).list.join("."),
            distance=pl.col("depth") - depth,
        )
        levels.append(
            below.join(holders, on="prefix").select("concept_id", "ancestor_id", "distance")
        )
    return (
        pl.concat(levels)
        .group_by("concept_id", "ancestor_id")
        .agg(pl.col("distance").min())
        .sort("concept_id", "ancestor_id")
        .cast({"distance": pl.Int32})
    )
