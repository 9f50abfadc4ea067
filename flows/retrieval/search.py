"""Finding the passages that questions are answered from, in a scope."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from flows.retrieval.concepts import find_concepts
from flows.retrieval.index import PassageIndex, Query, Vocabulary
from flows.retrieval.texts import (
    SearchedDocument,
    choose_documents,
    fetch_texts,
    stream_passages,
)
from flows.warehouse.layout import Connection
from nlp.language_settings import RetrievalSettings

DOCUMENT, PERSON, WAREHOUSE = "document", "person", "warehouse"
SCOPES = (DOCUMENT, PERSON, WAREHOUSE)
"""Whose text is searched: each document's alone, each person's, that of all documents."""


@dataclass(frozen=True)
class FoundPassage:
    """A passage of a document: ``text`` is ``documents.text[start_char:end_char]``."""

    document_id: str
    start_char: int
    end_char: int
    text: str
    score: float


@dataclass(frozen=True)
class Found:
    """What was found for a question (its position) in one document, person or the warehouse.

    ``unit`` is the document_id or person_id; None of the warehouse. ``person_id`` is that of the
    person or, where it has one, of the document.
    """

    unit: str | None
    question: int
    passages: tuple[FoundPassage, ...]
    person_id: str | None = None


def search(
    connection: Connection,
    questions: Sequence[str],
    scope: str,
    settings: RetrievalSettings,
    where: str = "true",
) -> Iterator[Found]:
    """Find the passages for each question in each unit of the scope, unit by unit.

    What a document or person gives is weighed within its own text alone, so that it does not
    change when others come. One that has no more passages than are wanted gives all of them, the
    best first; else passages that share no word and no concept with the question are never given.

    Args:
        connection: of a warehouse, to read at least; tables of its session are made.
        questions: their texts.
        scope: one of :data:`SCOPES`.
        settings: how passages are cut, weighed and how many are wanted.
        where: an SQL condition on ``documents``: no other is read.

    Yields:
        One :class:`Found` for each unit and question, units in a fixed order, even where nothing
        was found.

    Raises:
        CharthouseError: the condition is none, or fails.
    """
    choose_documents(connection, where, by_person=scope == PERSON)
    concepts = settings.concepts and settings.concept_weight > 0
    phrases = find_concepts(connection, questions) if concepts else [()] * len(questions)
    vocabulary = Vocabulary.of(questions)
    queries = [
        vocabulary.query(text, named) for text, named in zip(questions, phrases, strict=True)
    ]
    documents = stream_passages(connection, settings.passage_characters, concepts=concepts)
    if scope == WAREHOUSE:
        yield from _in_warehouse(connection, documents, queries, vocabulary, settings)
        return
    by_person = scope == PERSON
    for unit, group in itertools.groupby(
        documents, key=lambda document: document.person_id if by_person else document.document_id
    ):
        yield from _in_unit(unit, list(group), queries, vocabulary, settings)


def _in_unit(
    unit: str | None,
    documents: Sequence[SearchedDocument],
    queries: Sequence[Query],
    vocabulary: Vocabulary,
    settings: RetrievalSettings,
) -> Iterator[Found]:
    """Search the texts of one document or person, which memory holds."""
    index = PassageIndex(vocabulary, settings)
    places = []
    for document in documents:
        for (start, end), counts in zip(document.passages, document.phrases, strict=True):
            places.append((document, start, end))
            index.add(document.text[start:end], counts, document.rank)
    index.close()
    whole = len(places) <= settings.passages
    for number, query in enumerate(queries):
        best = index.best(query, least=0.0 if whole else None)
        passages = []
        for row, score in best:
            document, start, end = places[row]
            text = document.text[start:end]
            passages.append(FoundPassage(document.document_id, start, end, text, score))
        yield Found(unit, number, tuple(passages), documents[0].person_id)


def _in_warehouse(
    connection: Connection,
    documents: Iterable[SearchedDocument],
    queries: Sequence[Query],
    vocabulary: Vocabulary,
    settings: RetrievalSettings,
) -> Iterator[Found]:
    """Search all texts: memory holds their places and the questions' words in them, not them."""
    index = PassageIndex(vocabulary, settings)
    ordinals, starts, ends = array("q"), array("i"), array("i")
    for document in documents:
        for (start, end), counts in zip(document.passages, document.phrases, strict=True):
            index.add(document.text[start:end], counts, document.rank)
            ordinals.append(document.ordinal)
            starts.append(start)
            ends.append(end)
    index.close()
    for number, query in enumerate(queries):
        best = index.best(query)
        texts = fetch_texts(connection, sorted({ordinals[row] for row, _ in best}))
        passages = []
        for row, score in best:
            document_id, text = texts[ordinals[row]]
            start, end = starts[row], ends[row]
            passages.append(FoundPassage(document_id, start, end, text[start:end], score))
        yield Found(None, number, tuple(passages))
