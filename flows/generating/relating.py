"""The task ``relations``: relations between the mentions of documents.

A classifier gives one row for each pair of concepts, between the two mentions of them that stand
nearest each other. A causal model writes sentences; these are kept as texts, and the relations that
they state are given in the same way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from flows.errors import kind_and_place
from flows.generating.identity import identify_set
from flows.generating.relation_items import RelationItem, read_relation_item, relation_items
from flows.generating.schema import GENERATIONS
from flows.generating.task import GenerationRequest, GenerationSet, Produced, TaskWorker
from flows.relation_model import (
    Stated,
    choose_relation_model,
    load_relation_classifier,
    load_relation_writer,
)
from flows.warehouse.connection import Connection
from nlp.errors import UNUSABLE
from nlp.relations import RELATIONS_VERSION
from nlp.relations.schema import RELATIONS
from nlp.relations.text import Relation
from nlp.relations.writer import RelationWriter, WrittenRelations

if TYPE_CHECKING:
    from nlp.relations.classifier import RelationClassifier

NAME = "relations"

_CLASSIFIED_AT_ONCE = 32
_SCORE_DIGITS = 4

Progress = Callable[[int], None]


class RelationTask:
    """Relations of documents."""

    name = NAME

    def identify(self, request: GenerationRequest) -> GenerationSet:
        """Check the model at the door, and fingerprint all that decides the relations."""
        chosen = choose_relation_model(request.settings)
        return identify_set(
            NAME,
            (chosen.name, chosen.fingerprint),
            chosen.template,
            {"relations": RELATIONS_VERSION, **chosen.parameters},
        )

    def items(self, connection: Connection, request: GenerationRequest) -> Iterator[pl.DataFrame]:
        """The chosen documents with their mentions."""
        return relation_items(connection, request.where)

    def load(self, request: GenerationRequest) -> TaskWorker:
        """Load the model."""
        made = self.identify(request)
        chosen = choose_relation_model(request.settings)
        if isinstance(chosen, Stated):
            threshold = request.settings.relations.threshold
            return StatedWorker(made, load_relation_writer(chosen), threshold)
        classifier = load_relation_classifier(chosen, request.settings)
        return ClassifiedWorker(made, classifier, chosen.threshold)


class ClassifiedWorker:
    """A classifier, and the set that its rows belong to."""

    def __init__(
        self, made: GenerationSet, classifier: RelationClassifier, threshold: float | None
    ) -> None:
        """Take the loaded classifier."""
        self._set, self._classifier, self._threshold = made, classifier, threshold

    def carry_out(self, items: pl.DataFrame, progress: Progress) -> Produced:
        """Classify the pairs of each document; one that fails is a reject."""
        began = time.perf_counter()
        rows: list[dict[str, Any]] = []
        rejects: list[tuple[int, str]] = []
        for first in range(0, len(items), _CLASSIFIED_AT_ONCE):
            part = items[first : first + _CLASSIFIED_AT_ONCE]
            documents = part["document_id"].to_list()
            read = [read_relation_item(content) for content in part["input"]]
            for row, (document_id, item, found) in enumerate(
                zip(documents, read, self._find(read), strict=True)
            ):
                if isinstance(found, Exception):
                    rejects.append((first + row, _reason(found)))
                else:
                    rows += relation_rows(self._set, document_id, item, found)
            progress(first + len(part))
        frames = {RELATIONS.name: RELATIONS.conform(_frame(rows))}
        return Produced(frames, rejects, time.perf_counter() - began)

    def _find(self, items: Sequence[RelationItem]) -> list[list[Relation] | Exception]:
        """Relations of documents together, or one by one where that fails."""
        try:
            return list(self._classifier.find([item.text for item in items], self._threshold))
        except UNUSABLE:
            raise
        except Exception as error:
            if len(items) == 1:
                return [error]
        return [found for item in items for found in self._find([item])]


class StatedWorker:
    """A causal model, and the set that its texts and relations belong to."""

    def __init__(
        self, made: GenerationSet, writer: RelationWriter, threshold: float | None
    ) -> None:
        """Take the loaded model."""
        self._set, self._writer, self._threshold = made, writer, threshold

    def carry_out(self, items: pl.DataFrame, progress: Progress) -> Produced:
        """Let the model write about each document; one that fails is a reject."""
        read = [read_relation_item(content) for content in items["input"]]
        began = time.perf_counter()
        said = self._write(read, items["item_id"].to_list(), progress)
        seconds = time.perf_counter() - began
        spent = max(1, sum(_tokens(outcome) for outcome in said))
        texts, rows = [], list[dict[str, Any]]()
        rejects = []
        for row, outcome in enumerate(said):
            if isinstance(outcome, Exception):
                rejects.append((row, _reason(outcome)))
                continue
            item = items.row(row, named=True)
            share = seconds * _tokens(outcome) / spent
            texts.append(
                self._text(outcome, share)
                | {name: item[name] for name in ("item_id", "document_id", "person_id")}
            )
            kept = [
                r
                for r in outcome.relations
                if self._threshold is None or r.score >= self._threshold
            ]
            rows += relation_rows(self._set, item["document_id"], read[row], kept)
        frames = {
            GENERATIONS.name: GENERATIONS.conform(
                pl.DataFrame(texts, schema=GENERATIONS.schema, orient="row")
            ),
            RELATIONS.name: RELATIONS.conform(_frame(rows)),
        }
        return Produced(frames, rejects, seconds)

    def _write(
        self, items: Sequence[RelationItem], keys: Sequence[str], progress: Progress
    ) -> list[WrittenRelations | Exception]:
        """Texts about documents together, or one by one where that fails."""
        try:
            return list(self._writer.write([item.text for item in items], keys, progress))
        except UNUSABLE:
            raise
        except Exception as error:
            if len(items) == 1:
                return [error]
        outcomes: list[WrittenRelations | Exception] = []
        for item, key in zip(items, keys, strict=True):
            outcomes += self._write([item], [key], lambda done: None)
            progress(len(outcomes))
        return outcomes

    def _text(self, outcome: WrittenRelations, seconds: float) -> dict[str, Any]:
        return {
            **asdict(outcome.written),
            "generation_id": self._set.generation_id,
            "task": NAME,
            "question": None,
            "model": self._set.model,
            "prompt": self._set.prompt,
            "prompt_version": self._set.prompt_version,
            "parameters": self._set.parameters,
            "unparsed": outcome.unparsed,
            "seconds": seconds,
            "is_generated": True,
        }


def relation_rows(
    made: GenerationSet, document_id: str, item: RelationItem, relations: Sequence[Relation]
) -> Iterator[dict[str, Any]]:
    """Rows of ``relations``, numbered by subject, then object, in text order."""
    ordered = sorted(relations, key=lambda r: (r.subject_mention, r.object_mention, r.relation))
    for number, relation in enumerate(ordered):
        known = relation.score == relation.score  # NaN where nobody tells
        yield {
            "generation_id": made.generation_id,
            "document_id": document_id,
            "annotation_id": item.annotation_id,
            "relation_id": number,
            "subject_mention_id": item.mention_ids[relation.subject_mention],
            "relation": relation.relation,
            "object_mention_id": item.mention_ids[relation.object_mention],
            "score": round(relation.score, _SCORE_DIGITS) if known else None,
            "model": made.model,
        }


def _frame(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=RELATIONS.schema, orient="row")


def _tokens(outcome: WrittenRelations | Exception) -> int:
    if isinstance(outcome, Exception):
        return 0
    return outcome.written.prompt_tokens + outcome.written.completion_tokens


def _reason(error: Exception) -> str:
    """Why a document failed. Words of our own errors hold no text; those of others may."""
    return str(error) if isinstance(error, UNUSABLE) else kind_and_place(error)
