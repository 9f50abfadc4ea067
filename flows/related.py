"""Gold documents as texts whose related concepts are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import polars as pl

from flows.errors import CharthouseError
from flows.readers.gold import GoldDocument
from nlp.preprocess import PreprocessError
from nlp.relations.text import ConceptMention, Pair, RelationText
from ontologies.schema import CONCEPT_ANCESTORS
from ontologies.store import ConceptStore

CORPUS_RELATIONS = {"CID": "chemical_induces_disease"}
"""A corpus's type of relation to ours; types that are not in it are kept as they are."""


def our_relation(relation: str) -> str:
    """What a gold file's type of relation is called here."""
    return CORPUS_RELATIONS.get(relation, relation)


def related_pairs(document: GoldDocument) -> dict[str, frozenset[Pair]]:
    """A document's related concepts by our type of relation, each pair once."""
    found: dict[str, set[Pair]] = {}
    for relation in document.relations:
        pair = (relation.subject, relation.object)
        found.setdefault(our_relation(relation.relation), set()).add(pair)
    return {relation: frozenset(pairs) for relation, pairs in sorted(found.items())}


def related_labels(documents: Iterable[GoldDocument]) -> dict[str, tuple[str, str]]:
    """The labels of subjects and objects of each type of relation: those most of them have."""
    counts: dict[str, tuple[Counter[str], Counter[str]]] = {}
    for document in documents:
        labels: dict[str, set[str]] = {}
        for mention in document.mentions:
            for concept in mention.concept_ids:
                labels.setdefault(concept, set()).add(mention.label)
        for relation, pairs in related_pairs(document).items():
            sides = counts.setdefault(relation, (Counter(), Counter()))
            for pair in pairs:
                for side, concept in zip(sides, pair, strict=True):
                    side.update(labels.get(concept, ()))
    return {
        relation: (_commonest(subjects), _commonest(objects))
        for relation, (subjects, objects) in sorted(counts.items())
    }


def _commonest(labels: Counter[str]) -> str:
    return min(labels, key=lambda label: (-labels[label], label), default="")


def relation_texts(
    documents: Sequence[GoldDocument], pipeline: str, store: ConceptStore | None = None
) -> list[RelationText]:
    """Gold documents with their own mentions and concepts.

    Args:
        documents: as read.
        pipeline: what cuts them into sentences.
        store: says which concepts are broader than others; nobody does where None.

    Raises:
        CharthouseError: the pipeline cannot be used.
    """
    from nlp.preprocess.pipeline import build_splitter

    try:
        sentences = build_splitter(pipeline)([document.text for document in documents])
    except PreprocessError as error:
        raise CharthouseError(str(error)) from None
    named = [{c for m in d.mentions for c in m.concept_ids} for d in documents]
    broader = broader_of(store, set().union(*named)) if store else {}
    return [
        RelationText(
            document.text,
            tuple(
                ConceptMention(m.start_char, m.end_char, m.label, m.concept_ids)
                for m in sorted(document.mentions, key=lambda m: (m.start_char, m.end_char))
            ),
            tuple(bounds),
            broader_in(concepts, broader),
        )
        for document, bounds, concepts in zip(documents, sentences, named, strict=True)
    ]


def broader_of(store: ConceptStore, concepts: Collection[str]) -> dict[str, frozenset[str]]:
    """For each concept, those of the others that are broader than it."""
    rows = (
        pl.scan_parquet(store.table_path(CONCEPT_ANCESTORS.name))
        .filter(
            (pl.col("distance") > 0)
            & pl.col("concept_id").is_in(list(concepts))
            & pl.col("ancestor_id").is_in(list(concepts))
        )
        .select("concept_id", "ancestor_id")
        .collect()
    )
    found: dict[str, set[str]] = {}
    for concept, ancestor in rows.iter_rows():
        found.setdefault(concept, set()).add(ancestor)
    return {concept: frozenset(ancestors) for concept, ancestors in found.items()}


def broader_in(concepts: Collection[str], broader: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Concepts of a document of which it also names a narrower one."""
    there = frozenset(concepts)
    return frozenset().union(*(broader.get(c, frozenset()) & there for c in there))
