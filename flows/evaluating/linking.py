"""Linking alone: gold mentions, looked up by the names that a run would look them up by.

A gold mention of several concepts is met by any of them, as in the evaluation of BioSyn (Sung et
al. 2020). Gold mentions without a concept (NIL) are counted, not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import chain

import numpy as np

from flows.evaluating.concepts import gold_concepts, in_release, require_concepts
from flows.evaluating.evaluation import Evaluation, Judgement, judge
from flows.evaluating.gold import GoldCorpus
from flows.evaluating.links import (
    Link,
    Name,
    held,
    link_documents,
    open_named_store,
    words_around,
)
from flows.evaluating.named import NamedMention, named_mentions
from flows.evaluating.predictions import candidate_rows
from flows.evaluating.request import Request
from flows.evaluating.scores import COVERAGE, Counts, Measure
from flows.progress import Reporter
from ontologies.linker import linkset_id

ALL = "all"
IN_STORE = "in_store"

DEPTH = 20
"""Candidates that are looked at: more than a warehouse keeps, to see what ranking could gain."""

ACCURACY = Measure("accuracy@1", "first", ("gold",))
LINKED_ACCURACY = Measure("linked_accuracy", "linked", ("gold",))
RECALLS = (
    Measure("recall@5", "first_5", ("gold",)),
    Measure(f"recall@{DEPTH}", f"first_{DEPTH}", ("gold",)),
)
_COLUMNS = ("gold", "first", "linked", "first_5", f"first_{DEPTH}", "held")


def evaluate_linking(
    request: Request, corpora: Sequence[GoldCorpus], reporter: Reporter
) -> Evaluation:
    """Link gold mentions and judge the ranking of their concepts.

    Raises:
        CharthouseError: a gold file names no concepts, or the store or the preprocessing pipeline
            cannot be used.
    """
    require_concepts(corpora)
    store = open_named_store(request.ontology or "", request.settings.link)
    corpora = in_release(corpora, store)
    settings = request.settings.link
    named = named_mentions(request.settings.preprocess.pipeline, corpora, reporter)
    documents: dict[str, list[tuple[Name, str]]] = {}
    for corpus, mentions in zip(corpora, named, strict=True):
        for m in mentions:
            text = corpus.documents[m.document_id].text
            around = words_around(text, m.mention.start_char, m.mention.end_char)
            documents.setdefault(m.document_id, []).append((m.name, around))
    links = link_documents(store, documents, settings, reporter, candidates=DEPTH)
    judged = []
    for corpus, mentions in zip(corpora, named, strict=True):
        there = held(store, gold_concepts(corpus))
        # Mentions stand by document, in the order their names were given in.
        by_document = dict.fromkeys(mention.document_id for mention in mentions)
        its_links = chain.from_iterable(links[document_id] for document_id in by_document)
        linked = list(zip(mentions, its_links, strict=True))
        judged.append(_judge(request, corpus, linked, there))
    return Evaluation(
        task="linking",
        request=request,
        corpora=tuple(judged),
        linkset_id=linkset_id(store.release.release_id, settings),
        release=store.release,
    )


def _judge(
    request: Request,
    corpus: GoldCorpus,
    linked: Sequence[tuple[NamedMention, Link]],
    there: AbstractSet[str],
) -> Judgement:
    judged = [(m, its) for m, its in linked if m.mention.concept_ids]
    nil = [its for m, its in linked if not m.mention.concept_ids]
    in_store = [(m, its) for m, its in judged if not there.isdisjoint(m.mention.concept_ids)]
    labels = corpus.concept_labels
    measures = (ACCURACY, *RECALLS, LINKED_ACCURACY)
    return judge(
        request,
        corpus,
        (
            count_ranks(ALL, corpus, judged, labels, there, (*measures, COVERAGE)),
            count_ranks(IN_STORE, corpus, in_store, labels, there, measures),
        ),
        candidate_rows(
            (m.document_id, m.mention.start_char, m.mention.end_char, m.mention.label, its)
            for m, its in linked
        ),
        facts={
            "gold_mentions_without_concept": len(nil),
            "linked_without_gold_concept": sum(its.concept_id is not None for its in nil),
        },
    )


def count_ranks(
    scope: str,
    corpus: GoldCorpus,
    linked: Sequence[tuple[NamedMention, Link]],
    labels: Sequence[str],
    there: AbstractSet[str],
    measures: tuple[Measure, ...],
) -> Counts:
    """Count mentions by the rank at which a gold concept stands among their candidates.

    Args:
        scope, labels, measures: see :class:`~flows.evaluating.scores.Counts`.
        corpus: whose documents are the rows.
        linked: mentions that name concepts, with their candidates.
        there: concepts that the store holds.
    """
    row = {document_id: index for index, document_id in enumerate(corpus.documents)}
    column = {label: index for index, label in enumerate(labels)}
    values = np.zeros((len(row), len(column), len(_COLUMNS)), dtype=np.int64)
    for m, its in linked:
        wanted = frozenset(m.mention.concept_ids)
        rank = rank_of(its, wanted)
        values[row[m.document_id], column[m.mention.label]] += (
            1,
            rank <= 1,
            its.concept_id in wanted,
            rank <= 5,
            rank <= DEPTH,
            not there.isdisjoint(wanted),
        )
    return Counts(scope, tuple(labels), _COLUMNS, values, measures)


def rank_of(linked: Link, wanted: AbstractSet[str]) -> float:
    """Rank of the first candidate that is wanted, from 1; infinite where none is."""
    ranks = (r for r, c in enumerate(linked.candidates, start=1) if c.concept_id in wanted)
    return next(ranks, float("inf"))
