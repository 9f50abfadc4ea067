"""Names linked outside a warehouse, for a person to look at."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ontologies.linker import LinkSettings, link_names
from ontologies.schema import CONCEPTS
from ontologies.store import ConceptStore


def ranked_concepts(
    store: ConceptStore,
    names: Sequence[str],
    label: str,
    settings: LinkSettings,
    candidates: int,
) -> pl.DataFrame:
    """The concepts of names, in the order the names are given, best first.

    Args:
        store: the concepts.
        names: distinct names.
        label: mention label; one that the settings do not know restricts nothing.
        settings: as of a run.
        candidates: at most so many concepts for a name.

    Returns:
        Columns ``lookup_text``, ``status``, ``rank``, ``concept_id``, ``concept_name``,
        ``semantic_types``, ``score``, ``method`` and ``matched_name``; a name without candidates
        is one row without a concept.
    """
    # White space counts no more here than in a document's mention.
    asked = [" ".join(name.split()) for name in names]
    order = pl.DataFrame({"lookup_text": asked}).unique(maintain_order=True).with_row_index("at")
    links = link_names(
        store, order.select("lookup_text", label=pl.lit(label)), settings, candidates=candidates
    )
    concepts = pl.scan_parquet(store.table_path(CONCEPTS.name))
    described = (
        concepts.filter(pl.col("concept_id").is_in(links["concept_id"].drop_nulls().implode()))
        .select("concept_id", "concept_name", "semantic_types")
        .collect()
    )
    return (
        links.join(described, on="concept_id", how="left")
        .join(order, on="lookup_text")
        .sort("at", "rank")
        .select(
            "lookup_text",
            "status",
            "rank",
            "concept_id",
            "concept_name",
            "semantic_types",
            "score",
            "method",
            "matched_name",
        )
    )
