"""Relations between concepts, against those that annotators gave.

By document, as BioCreative V's chemical-disease relations are judged (Wei et al. 2016,
doi:10.1093/database/baw032): the set of a document's distinct (subject, object) pairs of concepts
against the set found in it, however often and wherever they are named. What has no concept is in
no pair. Two simple rules are judged beside: every pair of a document's concepts, and every pair
that one sentence names, both of the very mentions that the model was given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from flows.errors import CharthouseError, SourceError
from flows.evaluating.evaluation import Evaluation, Judgement, judge
from flows.evaluating.gold import GoldCorpus
from flows.evaluating.links import open_named_store
from flows.evaluating.related_warehouse import WarehouseRelations, read_relations
from flows.evaluating.request import Request
from flows.evaluating.scores import Counts, count_sets
from flows.progress import Reporter
from flows.related import related_labels, related_pairs, relation_texts
from flows.relation_model import (
    Classified,
    Stated,
    choose_relation_model,
    load_relation_classifier,
    load_relation_writer,
)
from nlp.errors import UNUSABLE
from nlp.fingerprint import ModelIdentity
from nlp.relations.finder import RelationFinder
from nlp.relations.text import Pair, Relation, RelationText, by_concept, pairs, sentence_numbers

RELATIONS, ALL_PAIRS, SAME_SENTENCE = "relations", "all_pairs", "same_sentence"

_TEXTS = 50
"""Documents read for relations between two words of progress."""

_PREDICTION = {
    "document_id": pl.String,
    "subject": pl.String,
    "relation": pl.String,
    "object": pl.String,
    "score": pl.Float64,
}

ByRelation = Mapping[str, frozenset[Pair]]


@dataclass(frozen=True)
class _Found:
    """Texts as the model was given them, by document_id, and what it found in each."""

    texts: Mapping[str, RelationText]
    relations: Mapping[str, Sequence[Relation]]
    notes: tuple[str, ...] = ()


def evaluate_relations(
    request: Request, corpora: Sequence[GoldCorpus], reporter: Reporter
) -> Evaluation:
    """Find the relations of gold documents, or read them from a warehouse, and judge them.

    Raises:
        CharthouseError: the model, the ontology or the warehouse cannot be used.
        SourceError: a gold file states no relation.
    """
    for corpus in corpora:
        if not any(document.relations for document in corpus.documents.values()):
            raise SourceError(
                f"gold corpus {corpus.name} states no relation",
                "Name a file with relations, such as CDR's with CID rows",
            )
    if request.from_warehouse is not None:
        stored = read_relations(request, corpora)
        identity: ModelIdentity | None = stored.identity
        found = [_stored(corpus, its) for corpus, its in zip(corpora, stored.corpora, strict=True)]
        linkset_id = stored.linkset_id
    else:
        chosen = choose_relation_model(request.settings)
        identity = ModelIdentity(chosen.name, chosen.fingerprint, ())
        found = _find(request, chosen, corpora, reporter)
        linkset_id = None
    return Evaluation(
        task="relations",
        request=request,
        corpora=tuple(_judge(request, *pair) for pair in zip(corpora, found, strict=True)),
        linkset_id=linkset_id,
        relator=identity,
    )


def _find(
    request: Request,
    chosen: Classified | Stated,
    corpora: Sequence[GoldCorpus],
    reporter: Reporter,
) -> list[_Found]:
    """Find relations in gold documents, between their gold mentions."""
    store = open_named_store(request.ontology) if request.ontology else None
    finder = _load(request, chosen)
    total = sum(len(corpus.documents) for corpus in corpora)
    reporter.stage("finding relations", "documents", total)
    done, found = 0, []
    for corpus in corpora:
        texts = relation_texts(
            list(corpus.documents.values()), request.settings.preprocess.pipeline, store
        )
        relations: list[list[Relation]] = []
        for first in range(0, len(texts), _TEXTS):
            relations += finder.find(
                texts[first : first + _TEXTS], request.settings.relations.threshold
            )
            reporter.done(done + len(relations))
        done += len(texts)
        found.append(
            _Found(
                dict(zip(corpus.documents, texts, strict=True)),
                dict(zip(corpus.documents, relations, strict=True)),
            )
        )
    reporter.end(total)
    return found


def _load(request: Request, chosen: Classified | Stated) -> RelationFinder:
    try:
        if isinstance(chosen, Stated):
            return load_relation_writer(chosen)
        return load_relation_classifier(chosen, request.settings)
    except UNUSABLE as error:
        raise CharthouseError(str(error)) from None  # written without text


def _stored(corpus: GoldCorpus, stored: WarehouseRelations) -> _Found:
    notes = []
    if stored.missing:
        notes.append(
            f"documents without relations of this model, so none found: {stored.missing:,}"
        )
    if stored.unlinked:
        notes.append(
            f"relations left out because a mention of theirs has no concept: {stored.unlinked:,}"
        )
    return _Found(stored.texts, stored.relations, tuple(notes))


def _judge(request: Request, corpus: GoldCorpus, found: _Found) -> Judgement:
    labels = related_labels(corpus.documents.values())
    known = {r.relation for its in found.relations.values() for r in its}
    idle = sorted(set(labels) - known)
    if known and len(idle) == len(labels):
        raise CharthouseError(
            f"the model finds {', '.join(sorted(known))}, and gold corpus {corpus.name} states "
            f"{', '.join(idle)}",
            "Judge a model by a file with relations of its kind",
        )
    gold = [related_pairs(document) for document in corpus.documents.values()]
    texts = [found.texts[document_id] for document_id in corpus.documents]
    said = [_by_relation(found.relations[document_id]) for document_id in corpus.documents]
    counts: tuple[Counts, ...] = (
        count_sets(RELATIONS, gold, said, tuple(labels)),
        count_sets(ALL_PAIRS, gold, [_all_pairs(t, labels) for t in texts], tuple(labels)),
        count_sets(SAME_SENTENCE, gold, [_same_sentence(t, labels) for t in texts], tuple(labels)),
    )
    notes = found.notes
    if idle and known:
        notes = (*notes, f"the model at hand finds no {', '.join(idle)}")
    unnamed = sum(
        not all(any(c in m.concept_ids for m in document.mentions) for c in pair)
        for document in corpus.documents.values()
        for its in related_pairs(document).values()
        for pair in its
    )
    return judge(
        request,
        corpus,
        counts,
        _predictions(found.relations),
        facts={"gold_relations_without_mention": unnamed},
        notes=notes,
    )


def _by_relation(relations: Sequence[Relation]) -> ByRelation:
    found: dict[str, set[Pair]] = {}
    for its in relations:
        found.setdefault(its.relation, set()).add((its.subject, its.object))
    return {relation: frozenset(its) for relation, its in found.items()}


def _all_pairs(text: RelationText, labels: Mapping[str, tuple[str, str]]) -> ByRelation:
    return {relation: frozenset(pairs(text, *sides)) for relation, sides in labels.items()}


def _same_sentence(text: RelationText, labels: Mapping[str, tuple[str, str]]) -> ByRelation:
    numbers = sentence_numbers(text)
    found = {}
    for relation, sides in labels.items():
        subjects, objects = (by_concept(text, label) for label in sides)
        found[relation] = frozenset(
            (s, o)
            for s, o in pairs(text, *sides)
            if {numbers[m] for m in subjects[s]} & {numbers[m] for m in objects[o]}
        )
    return found


def _predictions(relations: Mapping[str, Sequence[Relation]]) -> pl.DataFrame:
    rows = [
        (document_id, r.subject, r.relation, r.object, r.score)
        for document_id, its in relations.items()
        for r in its
    ]
    return pl.DataFrame(rows, schema=_PREDICTION, orient="row")
