"""The linking policy: names in, ranked concepts out, set-wise over distinct names.

Steps, each for the names the one before left over: exact ones from strict to loose
(``ontologies/steps.py``), then candidates by similarity (``ontologies/similar.py``): of character
3-grams and, where one is configured, of an encoder's vectors; a language model may weigh these, or
write names itself (``ontologies/writing/stage.py``). Only concepts that the name's label allows
(``ontologies/labels.py``), or whose types do not tell, are candidates.

**Ranking and ties.** Candidates of one name are ordered by the first of these that differs:

1. step, the stricter first (all candidates of a name come from the same one);
2. score, the higher first, compared to four decimals; a near match of a concept whose types do
   not tell has been weighed down before;
3. type: a concept that has a type the label allows before one whose types do not tell;
4. frequency: how often given names were used for the concept, the more often first;
5. spelling: a name equal to the lookup text letter for letter before one that is not;
6. relation: a synonym before a name that means something narrower, broader or only related;
7. standing: the concept's preferred name before a synonym;
8. vocabulary: a descriptor before a supplementary record.

If the two leading concepts are alike in all eight, nothing here separates them and the name's
status is ``ambiguous``; ``concept_id`` then only fixes the order of rows, not a choice. A language
model that re-ranks puts the concept first whose preferred name it takes the name to mean; the
status stays, for a model that sees a name alone tells which sense is common, not which is meant.

**A language model and exact ways.** What an exact way finds, a model does not change: the release
itself says what these names mean, and a model could only be wrong about it.

**Short forms.** *APC* may stand for anything. A name that is written like a short form, and that
its document does not spell out, is linked only where one sense clearly leads: by a rule before the
sixth, and never by similarity alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import Field

from ontologies.equivalents import equivalents_version
from ontologies.labels import LABEL_TYPES, allowed_types
from ontologies.meaning import fingerprint_of
from ontologies.normalise import normal_form
from ontologies.schema import (
    AMBIGUOUS,
    BELOW_THRESHOLD,
    LINKED,
    MAX_CANDIDATES,
    NAME_LINKS,
    NO_CANDIDATE,
)
from ontologies.short_form import is_short_form
from ontologies.similar import NearSettings, find_similar
from ontologies.steps import STEPS, find_exact
from ontologies.store import ALLOWED, ConceptStore
from ontologies.writing import source as writer
from ontologies.writing import stage
from ontologies.writing.settings import WriterSettings
from ontologies.writing.writing import writing_of

LINKER_VERSION = 2
"""Raised when the same store and settings give other links; part of ``linkset_id``."""

NGRAM, DENSE = "ngram", "dense"
"""Methods of links by similarity: of 3-grams, and of an encoder's vectors as well."""

RERANKED, GENERATED = "reranked", "generated"
"""Methods of links by a language model: similar names weighed by it, and names it wrote."""

WRITER_VERSION = 1
"""Raised when the same model, store and settings give other links; part of ``linkset_id``."""

_BATCH = 4096
_TIES = ("step", "score", "typed", "frequency", "literal", "loose", "preferred", "supplementary")
_CLEAR = ("step", "score", "typed", "frequency", "literal")
"""Of these, what makes one sense of a short form lead clearly."""
_ORDER = ("query", *_TIES, "likely", "concept_id", "name")
_DESCENDING = [False, False, True, True, True, True, False, True, False, True, False, False]


_Part = tuple[
    npt.NDArray[Any], npt.NDArray[Any], int, npt.NDArray[np.float64], npt.NDArray[Any] | int
]
"""Query positions, name rows, number, scores and methods of the matches of one step."""


class LinkSettings(NearSettings):
    """What decides the links besides store and linker version."""

    threshold: float = Field(
        default=0.7, ge=0, le=1, description="a best score below this is below_threshold"
    )
    candidates: int = Field(
        default=MAX_CANDIDATES, ge=1, le=MAX_CANDIDATES, description="concepts kept for a name"
    )
    context: bool = Field(
        default=True,
        description="let the other concepts of a document decide between candidates of a mention"
        " whose name does not",
    )
    context_ratio: float = Field(
        default=0.85,
        ge=0,
        le=1,
        description="a candidate that context may choose scores at least so much of the best",
    )
    context_floor: float = Field(
        default=0.5, ge=0, le=1, description="and at least this, whatever the best scores"
    )
    context_information: float = Field(
        default=3.0,
        ge=0,
        description="nats: how much an ancestor must say (-ln of the share of concepts below it)"
        " to make two concepts kin",
    )
    context_lead: float = Field(
        default=0.05,
        ge=0,
        description="with an encoder: how much nearer to the words around a mention one of several"
        " concepts of its name must be than the next",
    )
    labels: dict[str, tuple[str, ...]] = Field(
        default_factory=lambda: dict(LABEL_TYPES),
        description="mention label to the prefixes of semantic types it allows;"
        " a label that is missing, or has none, allows every concept",
    )


def linkset_id(release_id: str, settings: LinkSettings) -> str:
    """Fingerprint of all that decides links: release, linker, lexicon of equivalents, settings."""
    labels = sorted((name, sorted(set(types))) for name, types in settings.labels.items())
    # An encoder and a language model are what their files hold, wherever they lie.
    left_out = {"labels", "encoder", "pooling", *WriterSettings.model_fields}
    values = settings.model_dump(mode="json", exclude=left_out)
    encoder = fingerprint_of(settings.encoder, settings.pooling) if settings.encoder else ""
    versions: tuple[object, ...] = (LINKER_VERSION, equivalents_version(), encoder)
    if settings.writer:  # without one its settings are no part of the id
        how = settings.model_dump(include=set(WriterSettings.model_fields) - {"writer"})
        versions += (WRITER_VERSION, writer.fingerprint_of(settings.writer), sorted(how.items()))
    text = repr((versions, release_id, sorted(values.items()), labels))
    return f"ls-{sha256(text.encode()).hexdigest()[:12]}"


def link_names(
    store: ConceptStore,
    names: pl.DataFrame,
    settings: LinkSettings,
    *,
    candidates: int | None = None,
) -> pl.DataFrame:
    """Link distinct names.

    What a name is linked to depends on store, settings, its text and its label alone, not on the
    names it comes with.

    Args:
        store: an open store.
        names: columns ``lookup_text`` and ``label`` without nulls; repeated pairs count once.
        settings: the policy.
        candidates: keep so many concepts for a name instead of ``settings.candidates``; ranks
            and the linkset stay the same.

    Returns:
        Rows of ``name_links``, sorted by ``lookup_text``, ``label`` and ``rank``.
    """
    kept = settings.candidates if candidates is None else candidates
    distinct = names.select("lookup_text", "label").unique().sort("lookup_text", "label")
    linked = [NAME_LINKS.empty().drop("linkset_id")]
    for (label,), group in distinct.group_by("label", maintain_order=True):
        types = allowed_types(str(label), settings.labels)
        texts = group["lookup_text"].to_list()
        for start in range(0, len(texts), _BATCH):
            rows = _link(store, texts[start : start + _BATCH], types, settings, kept)
            linked.append(rows.with_columns(label=pl.lit(label)).select(linked[0].columns))
    links = pl.concat(linked).with_columns(
        linkset_id=pl.lit(linkset_id(store.release.release_id, settings))
    )
    return NAME_LINKS.conform(links).sort("lookup_text", "label", "rank")


def _link(
    store: ConceptStore,
    texts: list[str],
    types: tuple[str, ...],
    settings: LinkSettings,
    candidates: int,
) -> pl.DataFrame:
    """Links of texts under one restriction, without label and linkset."""
    found = _candidates(store, texts, types, settings)
    best = _ranked(found.with_columns(pl.col("frequency").sum().over("query", "concept")))
    if settings.writer and settings.writer_use in {"rerank", "both"}:
        best = _ranked(_likely(store, texts, best, settings))
    kept = best.filter(pl.col("rank") <= candidates)
    kept = kept.with_columns(
        matched_name=pl.Series(store.name_texts(kept["name"].to_numpy()), dtype=pl.String),
        method=pl.col("method").replace_strict(
            range(len(STEPS) + 3),
            [
                *(step.method for step in STEPS),
                DENSE if settings.encoder else NGRAM,
                RERANKED,
                GENERATED,
            ],
            return_dtype=pl.String,
        ),
    )
    return (
        _statuses(best, texts, settings)
        .join(kept, on="query", how="left")
        .with_columns(pl.col("rank").fill_null(1))
    )


def _ranked(found: pl.DataFrame) -> pl.DataFrame:
    """The best name of each concept of a query, ranked."""
    return (
        found.sort(_ORDER, descending=_DESCENDING)
        .unique(["query", "concept"], keep="first", maintain_order=True)
        .with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("query"))
    )


def _likely(
    store: ConceptStore, texts: Sequence[str], best: pl.DataFrame, settings: LinkSettings
) -> pl.DataFrame:
    """Weigh by a language model what no rule separates from the best candidate of an exact way."""
    first = best.filter(pl.col("rank") == 1, pl.col("step") < len(STEPS))
    alike = best.join(first, on=["query", *_TIES], how="semi")
    alike = alike.filter(pl.len().over("query") > 1)
    if alike.is_empty():
        return best
    likely = writing_of(store, settings).likelihood(
        texts, alike["query"].to_numpy(), alike["name"].to_numpy()
    )
    told = alike.select("query", "concept", told=pl.Series(likely).round(4))
    return best.join(told, on=["query", "concept"], how="left").with_columns(
        likely=pl.col("told").fill_null(0.0)
    )


def _statuses(best: pl.DataFrame, texts: Sequence[str], settings: LinkSettings) -> pl.DataFrame:
    """Columns ``query``, ``lookup_text`` and ``status`` of every text, by its ranked candidates."""
    queries = pl.DataFrame(
        {
            "query": np.arange(len(texts), dtype=np.int64),
            "lookup_text": texts,
            "short": [is_short_form(text) for text in texts],
        },
        schema={"query": pl.Int64, "lookup_text": pl.String, "short": pl.Boolean},
    )
    first, second = best.filter(pl.col("rank") == 1), best.filter(pl.col("rank") == 2)
    short = queries.filter("short")
    alike = [
        first.join(second, on=["query", *_TIES]),
        first.join(short, on="query", how="semi").join(second, on=["query", *_CLEAR]),
    ]
    tied = pl.concat(pairs.select("query") for pairs in alike).unique().with_columns(tied=True)
    near = pl.col("step") == len(STEPS)
    return (
        queries.join(first, on="query", how="left")
        .join(tied, on="query", how="left")
        .select(
            "query",
            "lookup_text",
            status=pl.when(pl.col("step").is_null())
            .then(pl.lit(NO_CANDIDATE))
            .when((pl.col("score") < settings.threshold) | (pl.col("short") & near))
            .then(pl.lit(BELOW_THRESHOLD))
            .when(pl.col("tied"))
            .then(pl.lit(AMBIGUOUS))
            .otherwise(pl.lit(LINKED)),
        )
    )


def _candidates(
    store: ConceptStore, texts: list[str], types: tuple[str, ...], settings: LinkSettings
) -> pl.DataFrame:
    """Names that match each text, by the first step that finds any.

    Columns: ``query`` (position in ``texts``), ``name`` and ``concept`` (rows of the index),
    ``concept_id``, the columns of ``_TIES``, ``likely`` (what a language model says of candidates
    alike in these) and ``method`` (a number).
    """
    permit = store.permits(types)
    forms = [normal_form(text) for text in texts]
    parts: list[_Part] = [
        (query, name, number, np.full(len(query), STEPS[number].score), number)
        for number, (query, name) in find_exact(store, texts, forms, permit)
    ]
    found = np.concatenate([part[0] for part in parts])
    missing = np.setdiff1d(np.arange(len(texts), dtype=np.int64), found)
    unknown = [forms[i] for i in missing]
    if settings.writer:
        asked = [texts[i] for i in missing]
        query, name, score, method = stage.find_written(
            store, asked, unknown, types, settings, settings.threshold
        )
        parts.append((missing[query], name, len(STEPS), score, len(STEPS) + method))
    else:
        query, name, score = find_similar(store, unknown, types, settings)
        parts.append((missing[query], name, len(STEPS), score, len(STEPS)))
    return _describe(store, texts, types, parts)


def _describe(
    store: ConceptStore,
    texts: Sequence[str],
    types: tuple[str, ...],
    parts: Sequence[_Part],
) -> pl.DataFrame:
    query = np.concatenate([part[0] for part in parts])
    name = np.concatenate([part[1] for part in parts])
    step = np.concatenate([np.full(len(part[0]), part[2], dtype=np.int32) for part in parts])
    score = np.concatenate([part[3] for part in parts])
    method = np.concatenate([np.zeros(len(part[0]), dtype=np.int32) + part[4] for part in parts])
    concept = store.names.concept[name]
    # Only the strictest step can match letter for letter.
    literal = np.zeros(len(query), dtype=np.bool_)
    strict = np.flatnonzero(step == 0)
    literal[strict] = [
        texts[i] == text
        for i, text in zip(query[strict], store.name_texts(name[strict]), strict=True)
    ]
    return pl.DataFrame(
        {
            "query": query,
            "name": name,
            "concept": concept,
            "concept_id": store.concepts.identifier[concept].astype(str),
            "step": step,
            "score": score,
            "typed": store.permits(types)[concept] == ALLOWED,
            "frequency": store.names.count[name],
            "literal": literal,
            "loose": store.names.loose[name],
            "preferred": store.names.preferred[name],
            "supplementary": store.concepts.supplementary[concept],
            "likely": np.zeros(len(query)),
            "method": method,
        }
    )
