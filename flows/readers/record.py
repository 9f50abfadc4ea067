"""What a reader yields: one record per document, deletion or unreadable item of a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from nlp.settings import Kind


@dataclass(frozen=True, slots=True)
class SectionSpan:
    """A section that the source states itself, in character offsets of the document's text."""

    name: str
    start_char: int
    end_char: int


@dataclass(frozen=True, slots=True)
class Document:
    """A document as its source gives it; ``text`` is what all offsets index."""

    native_id: str
    text: str
    kind: Kind
    title: str | None = None
    sections: tuple[SectionSpan, ...] = ()
    document_date: date | None = None
    document_type: str | None = None
    person_id: str | None = None
    encounter_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deletion:
    """The source withdraws a document (PubMed's ``DeleteCitation``).

    ``kind`` is that of the document: under privacy it says whether its id is hidden.
    """

    native_id: str
    kind: Kind = "note"


@dataclass(frozen=True, slots=True)
class BadRecord:
    """An item that is no document. ``reason`` holds no text and no native id."""

    reason: str


Record = Document | Deletion | BadRecord
