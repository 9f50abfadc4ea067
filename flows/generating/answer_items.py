"""Items of answers: a question, where it is asked, and the passages that were found for it."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import polars as pl

from flows.generating.schema import ITEM_SCHEMA
from flows.generating.task import GenerationRequest
from flows.retrieval.search import DOCUMENT, WAREHOUSE, Found, FoundPassage, search
from flows.warehouse.connection import Connection

_AT_ONCE = 500
_EVERYTHING = "true"


@dataclass(frozen=True)
class AnswerItem:
    """What a worker is told: a question, and passages from the best on."""

    question: str
    passages: tuple[FoundPassage, ...]


def answer_items(
    connection: Connection, request: GenerationRequest, *, with_passages: bool
) -> Iterator[pl.DataFrame]:
    """Frames of ``ITEM_SCHEMA``: each question of each document, person or of the warehouse.

    Args:
        connection: the warehouse, to read at least.
        request: questions, scope and the documents that are searched.
        with_passages: whether the template takes passages; else each question is one item, and no
            document is read.
    """
    if not with_passages:
        empty = (Found(None, row, ()) for row in range(len(request.questions)))
        yield from _frames(request, empty, WAREHOUSE)
        return
    texts = [text for _, text in request.questions]
    found = search(connection, texts, request.scope, request.settings.retrieval, request.where)
    yield from _frames(request, found, request.scope)


def item_id(question_id: str, scope: str, unit: str | None, where: str = _EVERYTHING) -> str:
    """The id of a question asked of a document, a person or the warehouse.

    No question_id has white space, so that the parts stay apart. Of a person or the warehouse the
    condition on documents is part of what is asked; a document is the same whatever chose it.
    """
    parts = [f"question:{question_id}"]
    if unit is not None:
        parts.append(f"{scope}:{unit}")
    if scope != DOCUMENT and where != _EVERYTHING:
        parts.append(f"where:{hashlib.sha256(where.encode()).hexdigest()[:12]}")
    return " ".join(parts)


def read_item(text: str) -> AnswerItem:
    """The item in a shard file."""
    raw = json.loads(text)
    return AnswerItem(raw["question"], tuple(FoundPassage(**row) for row in raw["passages"]))


def _frames(
    request: GenerationRequest, found: Iterator[Found], scope: str
) -> Iterator[pl.DataFrame]:
    while batch := list(itertools.islice(found, _AT_ONCE)):
        rows = [_row(request, result, scope) for result in batch]
        yield pl.DataFrame(rows, schema=ITEM_SCHEMA, orient="row")


def _row(request: GenerationRequest, found: Found, scope: str) -> tuple[object, ...]:
    question_id, question = request.questions[found.question]
    passages = [asdict(passage) for passage in found.passages]
    # Scores hang on all other passages; what the model reads does not.
    read = [[p.document_id, p.start_char, p.end_char, p.text] for p in found.passages]
    return (
        item_id(question_id, scope, found.unit, request.where),
        found.unit if scope == DOCUMENT else None,
        found.person_id,
        hashlib.sha256(json.dumps([question_id, question, read]).encode()).hexdigest(),
        len(question) + sum(len(passage.text) for passage in found.passages),
        json.dumps({"question": question, "passages": passages}, ensure_ascii=False),
    )
