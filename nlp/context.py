"""Concepts chosen by what else a document speaks of, set-wise over many documents.

A name alone is sometimes not enough: two concepts share it, or it is like the names of several and
equal to none. Then the document decides. Of the candidates that the linker ranked, one that another
mention of the document names outright is taken (one sense per discourse: Gale et al. 1992,
https://aclanthology.org/H92-1045); of concepts that share a name, the one that is nearest kin to
what the document names outright, by the information content of common ancestors (Resnik 1995).
Where an encoder is configured and neither tells, the words around the mention are compared to what
the concepts are.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from ontologies.linker import LinkSettings
from ontologies.meaning import meaning_of
from ontologies.schema import AMBIGUOUS, CONCEPT_ANCESTORS, CONCEPTS, LINKED
from ontologies.store import ConceptStore

METHOD = "context"
"""What ``mention_links.method`` says."""

SURE_METHODS = ("exact", "equivalent")
"""Links of names by these methods, and status ``linked``, name a concept outright."""

AROUND = 150
"""Characters of the text on either side of a mention that count as the words around it."""

_MENTION = ["document_id", "annotation_id", "mention_id"]
_DOCUMENT = ["document_id", "annotation_id"]
"""A document as one annotation set sees it: another set's mentions have no say."""

_NAME = ["lookup_text", "label"]


def choose_in_context(
    mentions: pl.DataFrame, links: pl.DataFrame, store: ConceptStore, settings: LinkSettings
) -> pl.DataFrame:
    """Concepts of mentions for which their documents say more than their names.

    A mention is open if its name is ambiguous, or was linked or left below the threshold by
    similarity alone. By the first of these that decides, it gets

    1. of its candidates that score at least ``settings.context_ratio`` times its best one, and
       ``settings.context_floor``, the highest-ranked one that another name of the document stands
       for outright;
    2. if its name is ambiguous, of the candidates that score as much as the best the one that
       shares the most telling ancestor with a concept that the document names outright, if that
       is more telling than the next one's and at least ``settings.context_information``;
    3. if its name is ambiguous and ``settings.encoder`` is set, of the same candidates the one
       whose preferred name and definition are, for the encoder, nearest to the words around the
       mention, if it leads by ``settings.context_lead``.

    What is chosen depends on the document's own mentions and their links alone.

    Args:
        mentions: columns ``document_id``, ``annotation_id``, ``mention_id``, ``lookup_text``,
            ``label`` and ``around`` (the words around it; null where they are not to count); all
            mentions of each document.
        links: rows of ``name_links`` of one linkset, of at least the names of the mentions.
        store: the concept store they were linked to.
        settings: as of the linkset.

    Returns:
        Columns ``document_id``, ``annotation_id``, ``mention_id``, ``concept_id``, ``score`` and
        ``method``, sorted by mention; only mentions whose concept is not that of their name.
    """
    leaders = links.filter(pl.col("rank") == 1)
    sure = leaders.filter(pl.col("status") == LINKED, pl.col("method").is_in(SURE_METHODS)).select(
        *_NAME, "concept_id"
    )
    named = mentions.join(sure, on=_NAME).select(*_DOCUMENT, "concept_id").unique()
    best = leaders.join(sure, on=_NAME, how="anti").select(
        *_NAME, best="score", first="concept_id", linked=pl.col("status") == LINKED
    )
    open_names = links.join(best, on=_NAME).filter(
        pl.col("concept_id").is_not_null(),
        pl.col("score") >= pl.col("best") * settings.context_ratio,
        pl.col("score") >= settings.context_floor,
    )
    candidates = mentions.join(open_names, on=_NAME)
    by_name = candidates.join(named, on=[*_DOCUMENT, "concept_id"], how="semi")
    left = candidates.join(by_name, on=_MENTION, how="anti").filter(
        pl.col("status") == AMBIGUOUS, pl.col("score") == pl.col("best")
    )
    by_kin = _by_kin(left, named, store, settings.context_information)
    left = left.join(by_kin, on=_MENTION, how="anti").drop_nulls("around")
    chosen = pl.concat(
        [
            by_name.sort(*_MENTION, "rank").unique(_MENTION, keep="first", maintain_order=True),
            by_kin,
            _by_words(left, store, settings) if settings.encoder else left.clear(),
        ]
    )
    return (
        chosen.filter((pl.col("concept_id") != pl.col("first")) | ~pl.col("linked"))
        .select(*_MENTION, "concept_id", "score", method=pl.lit(METHOD))
        .sort(_MENTION)
    )


def kin(store: ConceptStore, concept_ids: pl.Series) -> pl.DataFrame:
    """The ancestors of concepts, and how much it says to have each.

    Args:
        store: whose hierarchy counts.
        concept_ids: the concepts.

    Returns:
        Columns ``concept_id``, ``ancestor_id`` and ``information``: -ln of the share of the
        store's concepts that have the ancestor, in nats. Each concept is among its own ancestors.
    """
    pairs = (
        pl.scan_parquet(store.table_path(CONCEPT_ANCESTORS.name))
        .select("concept_id", "ancestor_id")
        .filter(pl.col("concept_id").is_in(concept_ids.unique().implode()))
        .collect()
    )
    return pairs.join(_information(store.path, store.release.release_id), on="ancestor_id")


@lru_cache(maxsize=2)
def _information(store: Path, release_id: str) -> pl.DataFrame:
    """Columns ``ancestor_id`` and ``information``; kept, since every slice of documents asks.

    The release tells a store apart from one that was built in its place.
    """
    closure = pl.scan_parquet(store / f"{CONCEPT_ANCESTORS.name}.parquet")
    below = closure.group_by("ancestor_id").agg(below=pl.len()).collect()
    concepts = closure.select(pl.col("concept_id").n_unique()).collect().item()
    return below.select("ancestor_id", information=-(pl.col("below") / concepts).log())


def _by_kin(
    candidates: pl.DataFrame, named: pl.DataFrame, store: ConceptStore, least: float
) -> pl.DataFrame:
    """The candidate of each mention that is clearly nearest to what the document names."""
    if candidates.is_empty():
        return candidates
    named = named.join(candidates, on=_DOCUMENT, how="semi")
    ancestors = kin(store, pl.concat([candidates["concept_id"], named["concept_id"]]))
    around = named.join(ancestors, on="concept_id").select(*_DOCUMENT, "ancestor_id").unique()
    shared = (
        candidates.join(ancestors, on="concept_id")
        .join(around, on=[*_DOCUMENT, "ancestor_id"], how="semi")
        .group_by(*_MENTION, "concept_id")
        .agg(pl.col("information").max())
    )
    clear = (
        shared.filter(pl.col("information") >= least)
        .filter(pl.col("information") == pl.col("information").max().over(_MENTION))
        .filter(pl.len().over(_MENTION) == 1)
        .select(*_MENTION, "concept_id")
    )
    return candidates.join(clear, on=[*_MENTION, "concept_id"], how="semi")


def _by_words(
    candidates: pl.DataFrame, store: ConceptStore, settings: LinkSettings
) -> pl.DataFrame:
    """The candidate of each mention that the words around it are clearly nearest to."""
    if candidates.is_empty():
        return candidates
    meaning = meaning_of(store, settings.encoder, settings.pooling)
    wanted = candidates["concept_id"].unique().implode()
    concepts = (
        pl.scan_parquet(store.table_path(CONCEPTS.name))
        .filter(pl.col("concept_id").is_in(wanted))
        .select(
            "concept_id",
            said=pl.concat_str("concept_name", "definition", separator=": ", ignore_nulls=True),
        )
        .collect()
    )
    around = candidates.select("around").unique().sort("around")
    pairs = (
        candidates.join(around.with_row_index("text"), on="around")
        .join(concepts.select("concept_id").with_row_index("concept"), on="concept_id")
        .sort(*_MENTION, "rank")
    )
    texts = meaning.of_texts(around["around"].to_list())[pairs["text"].to_numpy()]
    said = meaning.of_texts(concepts["said"].to_list())[pairs["concept"].to_numpy()]
    near = pl.col("near")
    return (
        pairs.with_columns(near=pl.Series(np.einsum("ij,ij->i", texts, said)))
        .with_columns(lead=near - near.sort(descending=True).get(1).over(_MENTION))
        .filter(pl.col("lead") >= settings.context_lead)
        .select(candidates.columns)
    )
