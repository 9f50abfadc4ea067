"""Linking alone: gold mentions, looked up by the names that a run would look them up by.

A gold mention of several concepts is met by any of them, as in the evaluation of BioSyn (Sung et
al. 2020). Gold mentions without a concept (NIL) are counted, not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from flows.evaluating.concepts import gold_concepts, in_release, require_concepts
from flows.evaluating.evaluation import Evaluation, Judgement, judge
from flows.evaluating.gold import GoldCorpus
from flows.evaluating.linked_warehouse import find_links
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
FOUND = "found"
FOUND_IN_STORE = "found_in_store"
"""Scopes of links that stand in a warehouse: of gold mentions that it has, bounds and label."""

DEPTH = 20
"""Candidates that are looked at: more than a warehouse keeps, to see what ranking could gain."""

ACCURACY = Measure("accuracy@1", "first", ("gold",))
LINKED_ACCURACY = Measure("linked_accuracy", "linked", ("gold",))
RECALLS = (
    Measure("recall@5", "first_5", ("gold",)),
    Measure(f"recall@{DEPTH}", f"first_{DEPTH}", ("gold",)),
)


class Scopes(NamedTuple):
    """What scopes are called, and how deep candidates are looked at."""

    all: str
    in_store: str
    recalls: tuple[Measure, ...]


LINKED_NOW = Scopes(ALL, IN_STORE, RECALLS)
STORED = Scopes(FOUND, FOUND_IN_STORE, RECALLS[:1])
"""A warehouse keeps five candidates."""

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
    if request.from_warehouse is not None:
        return _evaluate_stored(request, request.from_warehouse, corpora, reporter)
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
        judged.append(_judge(request, corpus, linked, there, LINKED_NOW))
    return Evaluation(
        task="linking",
        request=request,
        corpora=tuple(judged),
        linkset_id=linkset_id(store.release.release_id, settings),
        release=store.release,
    )


def _evaluate_stored(
    request: Request, warehouse: Path, corpora: Sequence[GoldCorpus], reporter: Reporter
) -> Evaluation:
    """Judge the links of those gold mentions that a warehouse has, to its first ontology."""
    finding, stored = find_links(request, warehouse, corpora, reporter)
    judged = []
    for corpus, found in zip(in_release(finding.corpora, stored), finding.found, strict=True):
        linked = []
        for document_id, document in corpus.documents.items():
            mentions = found.mentions[document_id]
            links = stored.of(document_id, mentions)
            places = {
                (m.start_char, m.end_char, m.label): (m, its)
                for m, its in zip(mentions, links, strict=True)
            }
            for gold in document.mentions:
                its = places.get((gold.start_char, gold.end_char, gold.label))
                if its is not None:
                    name = (its[0].lookup_text, its[0].own_label)
                    linked.append((NamedMention(document_id, gold, name), its[1]))
        gone = sum(len(document.mentions) for document in corpus.documents.values()) - len(linked)
        notes = (f"gold mentions that the warehouse does not have, not judged: {gone:,}",)
        there = held(stored, gold_concepts(corpus))
        judged.append(_judge(request, corpus, linked, there, STORED, notes if gone else ()))
    return Evaluation(
        task="linking",
        request=request,
        corpora=tuple(judged),
        annotation=finding.annotation,
        linkset_id=stored.linkset_id,
        release=stored.release,
        run_id=finding.run_id,
    )


def _judge(
    request: Request,
    corpus: GoldCorpus,
    linked: Sequence[tuple[NamedMention, Link]],
    there: AbstractSet[str],
    scopes: Scopes,
    notes: tuple[str, ...] = (),
) -> Judgement:
    judged = [(m, its) for m, its in linked if m.mention.concept_ids]
    nil = [its for m, its in linked if not m.mention.concept_ids]
    in_store = [(m, its) for m, its in judged if not there.isdisjoint(m.mention.concept_ids)]
    labels = corpus.concept_labels
    measures = (ACCURACY, *scopes.recalls, LINKED_ACCURACY)
    return judge(
        request,
        corpus,
        (
            count_ranks(scopes.all, corpus, judged, labels, there, (*measures, COVERAGE)),
            count_ranks(scopes.in_store, corpus, in_store, labels, there, measures),
        ),
        candidate_rows(
            (m.document_id, m.mention.start_char, m.mention.end_char, m.mention.label, its)
            for m, its in linked
        ),
        facts={
            "gold_mentions_without_concept": len(nil),
            "linked_without_gold_concept": sum(its.concept_id is not None for its in nil),
        },
        notes=notes,
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
