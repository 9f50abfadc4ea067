"""Items of tasks that write one text about each document."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from flows.generating.chosen import Chosen
from flows.generating.documents import DocumentText, read_documents
from flows.generating.schema import ITEM_SCHEMA
from flows.warehouse.connection import Connection
from nlp.generation.condensing import Source
from nlp.preprocess.sentences import find_sentences

_AT_ONCE = 500


@dataclass(frozen=True)
class DocumentItem:
    """What a worker is told of a document: see :class:`DocumentText`."""

    kind: str
    inputs: Mapping[str, str]
    sections: list[tuple[int, int]] | None
    sentences: list[tuple[int, int]] | None

    @property
    def is_empty(self) -> bool:
        """Whether there is no text to write about."""
        return not self.inputs["text"].strip()

    def source(self, key: str, names: tuple[str, ...], long_input: str | None) -> Source:
        """What the template's inputs are; sentences are found here where the item has none."""
        inputs = {name: self.inputs[name] for name in names if name in self.inputs}
        if long_input is None or long_input not in inputs:
            return Source(key, inputs)
        if long_input != "text":  # offsets are those of the text
            return Source(key, inputs, (), find_sentences(inputs[long_input]))
        sentences = self.sentences or find_sentences(inputs["text"])
        return Source(key, inputs, self.sections or (), sentences)


def document_items(
    connection: Connection, where: str, chosen: Chosen, given: Mapping[str, str]
) -> Iterator[pl.DataFrame]:
    """Frames of ``ITEM_SCHEMA`` of the chosen documents.

    An input that was given goes before one of the document.
    """
    names = {
        kind: {entry.name for entry in template.inputs} for kind, template in chosen.by_kind.items()
    }
    documents = read_documents(connection, where, set[str]().union(*names.values()))
    for batch in _batches(documents):
        rows = [_row(document, names[document.kind], given) for document in batch]
        yield pl.DataFrame(rows, schema=ITEM_SCHEMA, orient="row")


def _batches(documents: Iterator[DocumentText]) -> Iterator[list[DocumentText]]:
    while batch := list(itertools.islice(documents, _AT_ONCE)):
        yield batch


def _row(document: DocumentText, names: set[str], given: Mapping[str, str]) -> tuple[Any, ...]:
    """A row; the text is always in it, so that one without text can be told."""
    wanted = {*names, "text"}
    inputs = {name: text for name, text in document.inputs.items() if name in wanted}
    inputs |= {name: text for name, text in given.items() if name in names}
    item = {
        "kind": document.kind,
        "inputs": inputs,
        "sections": document.sections,
        "sentences": document.sentences,
    }
    text = json.dumps(item, sort_keys=True, ensure_ascii=False)
    return (
        document.document_id,
        document.document_id,
        document.person_id,
        hashlib.sha256(text.encode()).hexdigest(),
        sum(map(len, inputs.values())),
        text,
    )


def read_item(text: str) -> DocumentItem:
    """The item in a shard file."""
    raw = json.loads(text)
    return DocumentItem(
        raw["kind"], raw["inputs"], _spans(raw["sections"]), _spans(raw["sentences"])
    )


def _spans(raw: list[list[int]] | None) -> list[tuple[int, int]] | None:
    return None if raw is None else [(start, end) for start, end in raw]
