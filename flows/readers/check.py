"""What every document must satisfy, whichever reader it came from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flows.readers.record import BadRecord, Document, Record


def check_record(record: Record) -> Record:
    """Return the record, or a ``BadRecord`` for a document the warehouse cannot hold.

    Refused are texts that are empty or white space only, empty ids, and NUL characters or lone
    surrogates anywhere: neither survives storage, and dropping them would shift every offset.
    """
    if not isinstance(record, Document):
        return record
    if not record.text.strip():
        return BadRecord("text is empty")
    if not record.native_id.strip():
        return BadRecord("id is empty")
    if problem := _unstorable(record.text):
        return BadRecord(f"text holds {problem}")
    fields = [
        record.native_id,
        record.title,
        record.document_type,
        record.person_id,
        record.encounter_id,
        dict(record.metadata),
    ]
    for string in _strings(fields):
        if problem := _unstorable(string):
            return BadRecord(f"a field other than the text holds {problem}")
    return record


def _unstorable(string: str) -> str | None:
    if "\0" in string:
        return "NUL characters"
    try:
        string.encode("utf-8")
    except UnicodeEncodeError:
        return "lone surrogates"
    return None


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(key)
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)
