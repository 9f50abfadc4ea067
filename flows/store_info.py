"""What a concept store holds, counted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from ontologies.dense import DenseInfo, list_dense
from ontologies.labels import LABEL_TYPES, is_allowed
from ontologies.schema import CONCEPT_ANCESTORS, CONCEPTS
from ontologies.store import ConceptStore


@dataclass(frozen=True)
class StoreInfo:
    """Counts of a store that its release does not state.

    Attributes:
        bytes: of all its files.
        ancestors: pairs of a concept and an ancestor other than itself.
        types: type codes with the number of concepts that have each, the most frequent first, and
            the labels that allow it by default.
        encoders: what its names were encoded by.
    """

    bytes: int
    ancestors: int
    types: tuple[tuple[str, int, tuple[str, ...]], ...]
    encoders: tuple[DenseInfo, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        types = {code: {"concepts": n, "labels": labels} for code, n, labels in self.types}
        return asdict(self) | {"types": types}


def describe_store(store: ConceptStore) -> StoreInfo:
    """Count what a store holds."""
    types = (
        pl.scan_parquet(store.table_path(CONCEPTS.name))
        .select(pl.col("semantic_types").explode())
        .drop_nulls()
        .group_by("semantic_types")
        .len()
        .sort(["len", "semantic_types"], descending=[True, False])
        .collect()
    )
    ancestors = (
        pl.scan_parquet(store.table_path(CONCEPT_ANCESTORS.name))
        .filter(pl.col("distance") > 0)
        .select(pl.len())
        .collect()
        .item()
    )
    return StoreInfo(
        bytes=sum(file.stat().st_size for file in store.path.rglob("*") if file.is_file()),
        ancestors=ancestors,
        types=tuple(
            (
                code,
                count,
                tuple(label for label, wanted in LABEL_TYPES.items() if is_allowed(code, wanted)),
            )
            for code, count in types.iter_rows()
        ),
        encoders=tuple(list_dense(store.path)),
    )
