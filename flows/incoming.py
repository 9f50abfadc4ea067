"""From source files to rows of documents: ids, hashes and the order that decides versions."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from flows.errors import SourceError, kind_and_place
from flows.pseudonyms import Pseudonyms
from flows.readers.base import SourceFile
from flows.readers.pubmed import release_number
from flows.readers.record import BadRecord, Deletion, Document

WHOLE_FILE = -1
"""Ordinal of a reject that stands for a file of which nothing could be taken."""

PER_SOURCE = 10**10
"""Orders of one source lie within so many numbers."""

RELEASE_ORDER = 10**17
"""Source orders from here on come from numbered release files and hold for ever; smaller ones say
in which order files were first seen, and where in its file a record stands."""

Row = dict[str, object]


class Reject(NamedTuple):
    """A record that is no document, or a file of which nothing could be taken."""

    path: str
    ordinal: int
    reason: str


def source_key(path: Path, source_number: int) -> int:
    """What the source orders of a file's records begin with: the order without the position."""
    release = release_number(path)
    return source_number if release is None else RELEASE_ORDER // PER_SOURCE + release


def source_order(file: SourceFile, source_number: int, ordinal: int) -> int:
    """The number that decides between versions of a document: the higher one wins.

    PubMed's numbered release files order themselves by year, file number and position. All other
    files follow the order in which the warehouse first saw them, then the position.
    """
    return source_key(file.path, source_number) * PER_SOURCE + ordinal


def read_rows(
    file: SourceFile,
    source_number: int,
    limit: int | None = None,
    pseudonyms: Pseudonyms | None = None,
) -> Iterator[Row | Reject]:
    """Stream a source as rows of documents and deletions, and rejects.

    Args:
        file: the source.
        source_number: its number in the warehouse.
        limit: records to read at most.
        pseudonyms: what ids and hashes are hidden with, under privacy.

    Raises:
        SourceError: the file as a whole cannot be read: what was yielded of it is not to be used.
    """
    try:
        yield from _rows(file, source_number, limit, pseudonyms)
    except (SourceError, MemoryError):
        raise
    except Exception as error:  # what a reader does not foresee is the fault of its file, too
        raise SourceError(f"{file.path} cannot be read: {kind_and_place(error)}") from None


def _rows(
    file: SourceFile, source_number: int, limit: int | None, pseudonyms: Pseudonyms | None
) -> Iterator[Row | Reject]:
    from flows.readers import READERS

    path = file.name
    records = READERS[file.format].read(file)
    for ordinal, record in enumerate(itertools.islice(records, limit)):
        if isinstance(record, BadRecord):
            yield Reject(path, ordinal, record.reason)
        else:
            row = _row(record, file, source_order(file, source_number, ordinal))
            if pseudonyms is not None:
                row = pseudonyms.hide(row)
            yield row | {"path": path, "ordinal": ordinal}


def _row(record: Document | Deletion, file: SourceFile, order: int) -> Row:
    shared: Row = {
        "document_id": f"{file.corpus}:{record.native_id}",
        "corpus": file.corpus,
        "native_id": record.native_id,
        "source_order": order,
    }
    if isinstance(record, Deletion):
        return shared | {
            "kind": record.kind,
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
