"""Concepts end to end: found mentions, linked, against the concepts that annotators gave.

By document, as BioCreative V CDR and the NCBI Disease corpus are judged (Wei et al. 2016,
doi:10.1093/database/baw032; Leaman et al. 2013, doi:10.1093/bioinformatics/btt474): the set of a
document's concepts of a label against the set found in it, however often and wherever. A gold
mention of several concepts gives each of them to its document.

By mention: start, end, label and concept must agree. A gold mention of several concepts is met by
any of them, since a found mention has one. Gold mentions without a concept and found mentions that
the linker decided nothing about are not counted; a concept found on a gold mention without one is
counted as wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path

import numpy as np

from flows.errors import CharthouseError
from flows.evaluating.evaluation import Evaluation, Judgement, judge
from flows.evaluating.finding import find_mentions, found_notes
from flows.evaluating.gold import GoldCorpus, Span
from flows.evaluating.linked_warehouse import find_links
from flows.evaluating.links import (
    Concepts,
    Link,
    held,
    link_documents,
    open_named_store,
    words_around,
)
from flows.evaluating.mentions import Found, FoundMention
from flows.evaluating.predictions import candidate_rows
from flows.evaluating.request import Request
from flows.evaluating.scores import AGREEMENT, COVERAGE, Counts, count_sets
from flows.progress import Reporter
from flows.readers.gold import GoldDocument
from nlp.fingerprint import AnnotationSet
from ontologies.linker import linkset_id

DOCUMENT = "document"
MENTION = "mention"

Linked = tuple[FoundMention, Link]
"""A mention and what it was linked to."""


def evaluate_concepts(
    request: Request, corpora: Sequence[GoldCorpus], reporter: Reporter
) -> Evaluation:
    """Find mentions in gold documents, link them, and judge the concepts.

    Raises:
        CharthouseError: a gold file names no concepts, or a model, the device, the warehouse or
            the store cannot be used.
    """
    require_concepts(corpora)
    if request.from_warehouse is not None:
        return _evaluate_stored(request, request.from_warehouse, corpora, reporter)
    store = open_named_store(request.ontology or "", request.settings.link)
    finding = find_mentions(request, corpora, reporter)
    gold = in_release(finding.corpora, store)
    documents = {
        document_id: [
            (
                (m.lookup_text, m.own_label),
                words_around(corpus.documents[document_id].text, m.start_char, m.end_char),
            )
            for m in mentions
        ]
        for corpus, its in zip(gold, finding.found, strict=True)
        for document_id, mentions in its.mentions.items()
    }
    links = link_documents(store, documents, request.settings.link, reporter)
    judged = []
    for corpus, its in zip(gold, finding.found, strict=True):
        there = held(store, gold_concepts(corpus))
        judged.append(_judge(request, corpus, finding.annotation, its, links, there))
    return Evaluation(
        task="concepts",
        request=request,
        corpora=tuple(judged),
        annotation=finding.annotation,
        linkset_id=linkset_id(store.release.release_id, request.settings.link),
        release=store.release,
    )


def _evaluate_stored(
    request: Request, warehouse: Path, corpora: Sequence[GoldCorpus], reporter: Reporter
) -> Evaluation:
    """Judge the mentions of a warehouse with the concepts of its first ontology."""
    finding, stored = find_links(request, warehouse, corpora, reporter)
    judged = []
    for corpus, its in zip(in_release(finding.corpora, stored), finding.found, strict=True):
        links = {i: stored.of(i, mentions) for i, mentions in its.mentions.items()}
        there = held(stored, gold_concepts(corpus))
        judged.append(_judge(request, corpus, finding.annotation, its, links, there))
    return Evaluation(
        task="concepts",
        request=request,
        corpora=tuple(judged),
        annotation=finding.annotation,
        linkset_id=stored.linkset_id,
        release=stored.release,
        run_id=finding.run_id,
    )


def require_concepts(corpora: Sequence[GoldCorpus]) -> None:
    """Raise :class:`CharthouseError` for a gold file none of whose mentions names a concept."""
    for corpus in corpora:
        if not corpus.concept_labels:
            raise CharthouseError(
                f"gold corpus {corpus.name} names no concepts",
                "Give a PubTator or BioC file with concept ids; evaluate ner needs none",
            )


def in_release(corpora: Sequence[GoldCorpus], store: Concepts) -> list[GoldCorpus]:
    """The corpora with the ids that the store's release replaced by those in their place."""
    old = sorted({concept_id for corpus in corpora for concept_id in gold_concepts(corpus)})
    current = dict(zip(old, store.current_ids(old), strict=True))
    return [
        replace(
            corpus,
            documents={
                document_id: replace(
                    document,
                    mentions=tuple(
                        replace(
                            m, concept_ids=tuple(dict.fromkeys(current[c] for c in m.concept_ids))
                        )
                        for m in document.mentions
                    ),
                )
                for document_id, document in corpus.documents.items()
            },
        )
        for corpus in corpora
    ]


def gold_concepts(corpus: GoldCorpus) -> set[str]:
    """Every concept that a corpus names."""
    return {c for d in corpus.documents.values() for m in d.mentions for c in m.concept_ids}


def _judge(
    request: Request,
    corpus: GoldCorpus,
    annotation: AnnotationSet,
    found: Found,
    links: Mapping[str, Sequence[Link]],
    there: AbstractSet[str],
) -> Judgement:
    labels = corpus.concept_labels
    documents = list(corpus.documents.values())
    linked = {
        document_id: list(zip(mentions, links[document_id], strict=True))
        for document_id, mentions in found.mentions.items()
    }
    mentions = [linked[document_id] for document_id in corpus.documents]
    nil = sum(not m.concept_ids for d in documents for m in d.mentions if m.label in labels)
    notes = found_notes(request, annotation, corpus, found)
    if left_out := [label for label in corpus.labels if label not in labels]:
        notes += (f"no gold mention of {', '.join(left_out)} names a concept",)
    return judge(
        request,
        corpus,
        (
            by_document(documents, mentions, labels, there),
            by_mention(documents, mentions, labels, there),
        ),
        candidate_rows(_decided(linked)),
        facts={"rejected": found.rejected, "gold_mentions_without_concept": nil},
        notes=notes,
    )


def _decided(
    linked: Mapping[str, Sequence[Linked]],
) -> list[tuple[str, int, int, str, Link]]:
    """Mentions with what decides their concept: the candidates of those that are linked."""
    rows = []
    for document_id, mentions in linked.items():
        for m, its in mentions:
            decided = its if its.concept_id is not None else replace(its, candidates=())
            rows.append((document_id, m.start_char, m.end_char, m.label, decided))
    return rows


def by_document(
    gold: Sequence[GoldDocument],
    found: Sequence[Sequence[Linked]],
    labels: Sequence[str],
    there: AbstractSet[str],
) -> Counts:
    """Count each document's distinct concepts, by label.

    Args:
        gold, found: documents and what was found and linked in each, in the same order.
        labels: the labels to count.
        there: concepts that the store holds; counted as ``held`` where they are gold.
    """
    wanted, linked = [], []
    for document, mentions in zip(gold, found, strict=True):
        concepts: dict[str, set[str]] = defaultdict(set)
        for mention in document.mentions:
            concepts[mention.label].update(mention.concept_ids)
        wanted.append(concepts)
        concepts = defaultdict(set)
        for m, its in mentions:
            if its.concept_id is not None:
                concepts[m.label].add(its.concept_id)
        linked.append(concepts)
    holding = [[len(concepts[label] & there) for label in labels] for concepts in wanted]
    return _with_held(count_sets(DOCUMENT, wanted, linked, labels), holding)


def by_mention(
    gold: Sequence[GoldDocument],
    found: Sequence[Sequence[Linked]],
    labels: Sequence[str],
    there: AbstractSet[str],
) -> Counts:
    """Count mentions with a concept, by label; arguments as of :func:`by_document`."""
    values = np.zeros((len(gold), len(labels), 3), dtype=np.int64)
    holding = []
    for row, (document, mentions) in enumerate(zip(gold, found, strict=True)):
        held_here = []
        for column, label in enumerate(labels):
            wanted = {
                (m.start_char, m.end_char): m.concept_ids
                for m in document.mentions
                if m.label == label and m.concept_ids
            }
            linked: dict[Span, str] = {
                (m.start_char, m.end_char): its.concept_id
                for m, its in mentions
                if m.label == label and its.concept_id is not None
            }
            agreed = sum(concept in wanted.get(span, ()) for span, concept in linked.items())
            values[row, column] = len(wanted), len(linked), agreed
            held_here.append(sum(not there.isdisjoint(ids) for ids in wanted.values()))
        holding.append(held_here)
    counts = Counts(MENTION, tuple(labels), ("gold", "found", "agreed"), values)
    return _with_held(counts, holding)


def _with_held(counts: Counts, holding: Sequence[Sequence[int]]) -> Counts:
    """The counts with a fourth column: what of the gold the store holds."""
    column = np.array(holding, dtype=np.int64).reshape(*counts.values.shape[:2], 1)
    return replace(
        counts,
        columns=(*counts.columns, "held"),
        values=np.concatenate([counts.values, column], axis=2),
        measures=(*AGREEMENT, COVERAGE),
    )
