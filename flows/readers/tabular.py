"""Rows of CSV, JSON Lines and Parquet: which column is what, and a row's document."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from flows.errors import SourceError
from flows.readers.base import ROLES, TABLE, ColumnMapping
from flows.readers.dates import parse_date
from flows.readers.record import BadRecord, Document

# In order of preference: the OMOP note table, MIMIC, MTSamples and plain common sense.
_COMMON_NAMES: dict[str, tuple[str, ...]] = {
    "id": (
        *("note_id", "document_id", "doc_id", "docid", "native_id", "report_id", "pmid"),
        *("pubmed_id", "pmcid", "row_id", "id", "uid", "uuid"),
    ),
    "text": (
        *("note_text", "text", "report_text", "document_text", "full_text", "fulltext", "body"),
        *("content", "note", "report", "transcription"),
    ),
    "title": ("title", "article_title"),
    "abstract": ("abstract", "abstract_text"),
    "date": (
        *("note_date", "document_date", "charttime", "chartdate", "note_datetime", "date"),
        *("report_date", "publication_date", "published", "pub_date"),
    ),
    "person": ("person_id", "subject_id", "patient_id", "mrn", "pat_id"),
    "encounter": ("encounter_id", "visit_occurrence_id", "visit_id", "hadm_id", "admission_id"),
    "type": (
        *("note_type", "document_type", "doc_type", "report_type", "category", "note_title"),
        "note_class",
    ),
}
_OMOP_NOTE = ("note_id", "note_text", "person_id")
_NO_PERSON = "0"
"""OMOP's ``person_id`` may not be null: that of a note without a person."""
_LONGEST_NAME = 64
_DEEPEST_NESTING = 64


def map_columns(path: Path, columns: Sequence[str], given: Mapping[str, str]) -> ColumnMapping:
    """Decide which column plays which role: as given, else by common names in any case.

    A given ``text`` keeps ``abstract`` from being guessed and the other way round; where both
    are only guessed, ``abstract`` wins and the other column goes to the metadata.

    Raises:
        SourceError: a given column does not exist, no column holds the text, or two columns
            have one name.
    """
    if not columns:
        raise SourceError(f"{path} has no columns", "Its first line must name them")
    if len(set(columns)) < len(columns):
        raise SourceError(f"{path} has two columns of one name", "Rename one of them")
    for role, name in given.items():
        if role != TABLE and name not in columns:
            raise SourceError(f"{path} has no column {name}; it has {_shown(columns)}")
    if "text" in given and "abstract" in given:
        raise SourceError("both a text and an abstract column are given", "Give one of them")
    chosen = dict(given)
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(re.sub(r"[\s-]+", "_", column.strip().lower()), column)
    for role, names in _COMMON_NAMES.items():
        if role in given or (role == "text" and "abstract" in given):
            continue
        if role == "abstract" and "text" in given:
            continue
        free = (by_name[name] for name in names if name in by_name)
        found = next((column for column in free if column not in given.values()), None)
        if found is not None:
            chosen[role] = found
    if "abstract" in chosen:
        chosen.pop("text", None)
    elif "text" not in chosen:
        raise SourceError(
            f"{path} has no column known to hold the text; it has {_shown(columns)}",
            "Name it with --column text=NAME",
        )
    return ColumnMapping(**chosen)


def row_record(
    row: Mapping[str, Any], columns: ColumnMapping, ordinal: int
) -> Document | BadRecord:
    """The document of one row; columns of no role go to the metadata.

    With an abstract column the text is title + one space + abstract, else exactly the text
    cell. Without an id column the row's 0-based ``ordinal`` is the id. A date that is not
    understood, or that loses its time of day, is kept as written in the metadata too. Person 0 of
    OMOP's note table is nobody.
    """

    def cell(name: str | None) -> Any:
        return None if name is None else row.get(name)

    native_id = str(ordinal) if columns.id is None else _string(cell(columns.id))
    if native_id is None:
        return BadRecord("id is empty")
    try:
        text = _text(cell(columns.text or columns.abstract))
        title = _text(cell(columns.title))
    except UnicodeDecodeError:
        return BadRecord("not valid UTF-8")
    except TypeError:
        return BadRecord("text or title is not a string")
    if columns.abstract is not None and title:
        text = f"{title} {text}" if text else title
    raw_date = cell(columns.date)
    document_date = parse_date(raw_date)
    mapped = {getattr(columns, role) for role in ROLES}
    try:
        metadata = {name: jsonable(value) for name, value in row.items() if name not in mapped}
    except RecursionError:
        return BadRecord(f"a field is nested over {_DEEPEST_NESTING} levels deep")
    if columns.date is not None and raw_date not in (None, ""):
        written = jsonable(raw_date)
        if document_date is None or written != document_date.isoformat():
            metadata[columns.date] = written
    person = _string(cell(columns.person))
    return Document(
        native_id=native_id,
        text=text,
        kind="note" if columns.abstract is None else "abstract",
        title=title or None,
        document_date=document_date,
        document_type=_string(cell(columns.type)),
        person_id=None if person == _NO_PERSON and _is_omop(columns) else person,
        encounter_id=_string(cell(columns.encounter)),
        metadata=metadata,
    )


def _is_omop(columns: ColumnMapping) -> bool:
    names = (columns.id, columns.text, columns.person)
    return tuple((name or "").strip().lower() for name in names) == _OMOP_NOTE


def jsonable(value: Any, depth: int = 0) -> Any:
    """A cell's value as JSON can hold it: dates in ISO form, bytes in base64, NaN as null.

    Raises:
        RecursionError: lists and objects nest over 64 levels deep.
    """
    if depth > _DEEPEST_NESTING:
        raise RecursionError
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return {str(key): jsonable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item, depth + 1) for item in value]
    return str(value)


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bytes):
        # Parquet written without the string annotation.
        return value.decode("utf-8")
    if not isinstance(value, str):
        raise TypeError
    return value


def _string(value: Any) -> str | None:
    """An id or a type as a string; whole floats (an integer column with nulls) lose their .0."""
    if isinstance(value, float):
        value = None if math.isnan(value) else int(value) if value.is_integer() else value
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if value is None or isinstance(value, Mapping | list):
        return None
    return str(value) if str(value).strip() else None


def _shown(columns: Sequence[str]) -> str:
    """The columns for an error message, unless they look like a patient's data."""
    if any(
        len(name) > _LONGEST_NAME
        or re.search(r"[\r\n]|\d{3}", name)
        or re.fullmatch(r"[\d\W]+", name)
        for name in columns
    ):
        return f"{len(columns)} columns whose names look like data: is the header line missing?"
    return "the columns " + ", ".join(columns)
