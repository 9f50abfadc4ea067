"""From source files to frames of documents: ids, hashes and the order that decides versions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.errors import SourceError, kind_and_place
from flows.readers.base import SourceFile
from flows.readers.pubmed import release_number
from flows.readers.record import BadRecord, Deletion, Document
from nlp.schema import DOCUMENTS, SECTION_SPANS

WHOLE_FILE = -1
"""Ordinal of a reject that stands for a file of which nothing could be taken."""

FRAME_DOCUMENTS = 5_000
FRAME_CHARACTERS = 8_000_000
"""A frame is cut where either is reached: planning needs the memory of one."""

PER_SOURCE = 10**10
"""Orders of one source lie within so many numbers."""

RELEASE_ORDER = 10**17
"""Source orders from here on come from numbered release files and hold for ever; smaller ones say
in which order files were first seen, and where in its file a record stands."""

Row = dict[str, object]

INCOMING_SCHEMA = DOCUMENTS.schema | {
    "sections": SECTION_SPANS,
    "path": pl.String,
    "ordinal": pl.Int64,
    "characters": pl.Int64,
}
"""Columns of a frame: ``documents`` plus what annotation and provenance need."""

REJECT_SCHEMA = {"path": pl.String, "ordinal": pl.Int64, "reason": pl.String}


@dataclass(frozen=True)
class Incoming:
    """A slice of a source: documents and deletions in one frame, and what is neither."""

    documents: pl.DataFrame
    rejects: pl.DataFrame

    @property
    def records(self) -> int:
        """Records in the slice."""
        return len(self.documents) + len(self.rejects)


def source_order(file: SourceFile, source_number: int, ordinal: int) -> int:
    """The number that decides between versions of a document: the higher one wins.

    PubMed's numbered release files order themselves by year, file number and position. All other
    files follow the order in which the warehouse first saw them, then the position.
    """
    release = release_number(file.path)
    if release is None:
        return source_number * PER_SOURCE + ordinal
    return RELEASE_ORDER + release * PER_SOURCE + ordinal


def read_incoming(
    file: SourceFile, source_number: int, limit: int | None = None
) -> Iterator[Incoming]:
    """Stream a source as frames of at most ``FRAME_DOCUMENTS`` rows.

    Args:
        file: the source.
        source_number: its number in the warehouse.
        limit: records to read at most.

    Raises:
        SourceError: the file as a whole cannot be read: what was yielded of it is not to be used.
    """
    try:
        yield from _frames_of(file, source_number, limit)
    except (SourceError, MemoryError):
        raise
    except Exception as error:  # what a reader does not foresee is the fault of its file, too
        raise SourceError(f"{file.path} cannot be read: {kind_and_place(error)}") from None


def whole_file_reject(path: Path, reason: str) -> pl.DataFrame:
    """The one reject of a file that cannot be read."""
    row = {"path": str(path), "ordinal": WHOLE_FILE, "reason": reason}
    return pl.DataFrame([row], schema=REJECT_SCHEMA)


def _frames_of(file: SourceFile, source_number: int, limit: int | None) -> Iterator[Incoming]:
    from flows.readers import READERS

    documents: list[Row] = []
    rejects: list[Row] = []
    characters = 0
    path = str(file.path)
    for ordinal, record in enumerate(READERS[file.format].read(file)):
        if limit is not None and ordinal >= limit:
            break
        if isinstance(record, BadRecord):
            rejects.append({"path": path, "ordinal": ordinal, "reason": record.reason})
        else:
            row = _row(record, file, source_order(file, source_number, ordinal))
            documents.append(row | {"path": path, "ordinal": ordinal})
            characters += len(record.text) if isinstance(record, Document) else 0
        if len(documents) + len(rejects) >= FRAME_DOCUMENTS or characters >= FRAME_CHARACTERS:
            yield _frames(documents, rejects)
            documents, rejects, characters = [], [], 0
    if documents or rejects:
        yield _frames(documents, rejects)


def _frames(documents: list[Row], rejects: list[Row]) -> Incoming:
    frame = pl.DataFrame(documents, schema=INCOMING_SCHEMA)
    frame = frame.with_columns(characters=pl.col("text").str.len_chars().cast(pl.Int64))
    return Incoming(frame, pl.DataFrame(rejects, schema=REJECT_SCHEMA))


def _row(record: Document | Deletion, file: SourceFile, order: int) -> Row:
    shared: Row = {
        "document_id": f"{file.corpus}:{record.native_id}",
        "corpus": file.corpus,
        "native_id": record.native_id,
        "source_order": order,
    }
    if isinstance(record, Deletion):
        return shared | {
            "kind": "abstract",
            "text": "",
            "source_hash": "",
            "metadata_hash": "",
            "metadata": "{}",
            "is_deleted": True,
            "sections": [],
        }
    sections = [
        {"name": s.name, "start_char": s.start_char, "end_char": s.end_char}
        for s in record.sections
    ]
    metadata = json.dumps(record.metadata, ensure_ascii=False, sort_keys=True, default=str)
    return shared | {
        "kind": record.kind,
        "title": record.title,
        "text": record.text,
        "source_hash": _sha256([record.kind, record.text, sections]),
        "metadata_hash": _sha256(
            [
                record.title,
                str(record.document_date),
                record.document_type,
                record.person_id,
                record.encounter_id,
                metadata,
            ]
        ),
        "document_date": record.document_date,
        "document_type": record.document_type,
        "person_id": record.person_id,
        "encounter_id": record.encounter_id,
        "metadata": metadata,
        "is_deleted": False,
        "sections": sections,
    }


def _sha256(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
