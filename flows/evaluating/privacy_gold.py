"""Gold files of identifiers: one JSON object a line, ``id``, ``text`` and ``spans``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.errors import SourceError
from flows.readers.compression import open_binary
from nlp.privacy.finding import KINDS

_FORM = 'A line is {"id": ..., "text": ..., "spans": [{"start": 0, "end": 4, "kind": "name"}]}'


@dataclass(frozen=True)
class MarkedDocument:
    """A document and its identifiers: start, end and kind, in characters of the text."""

    native_id: str
    text: str
    spans: tuple[tuple[int, int, str], ...]


def read_marked(path: Path, limit: int | None = None) -> list[MarkedDocument]:
    """Read a gold file, plain, .gz or .zst.

    Args:
        path: the file.
        limit: take the first so many documents.

    Raises:
        SourceError: a line is not as it must be, or the file has no identifier; the message has
            the line's number, never its text.
    """
    documents: list[MarkedDocument] = []
    with open_binary(path) as stream:
        for number, line in enumerate(stream, start=1):
            if limit is not None and len(documents) == limit:
                break
            if line.strip():
                documents.append(_document(path, number, line))
    if not any(document.spans for document in documents):
        raise SourceError(f"{path}: no identifier to judge by", _FORM)
    return documents


def _document(path: Path, number: int, line: bytes) -> MarkedDocument:
    try:
        row: Any = json.loads(line)
        text = row["text"]
        spans = tuple(sorted((s["start"], s["end"], str(s["kind"])) for s in row["spans"]))
        document = MarkedDocument(str(row["id"]), text, spans)
        sound = isinstance(text, str) and all(
            type(s) is int and type(e) is int and 0 <= s < e <= len(text) for s, e, _ in spans
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SourceError(f"{path}, line {number}: not of the form of a gold file", _FORM) from None
    if not sound:
        raise SourceError(
            f"{path}, line {number}: a span lies outside its text",
            "Offsets count characters from 0; the end is one past the last",
        )
    if unknown := {kind for _, _, kind in spans} - set(KINDS):
        raise SourceError(
            f"{path}, line {number}: {len(unknown)} kinds are unknown",
            f"Kinds are {', '.join(KINDS)}",
        )
    return document
