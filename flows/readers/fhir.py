"""FHIR resources that are notes, one a line: DocumentReference and DiagnosticReport, R4 and R5.

This is what a Bulk Data export writes (HL7 FHIR Bulk Data Access, ``application/fhir+ndjson``).
Resources of other types are no documents and are passed over. Of a resource with several
attachments one is read: plain text before HTML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flows.readers.attachment import Unreadable, attachment_text, media_type
from flows.readers.base import Reader, SourceFile
from flows.readers.dates import parse_date
from flows.readers.jsonl import json_lines
from flows.readers.record import BadRecord, Deletion, Document, Record
from flows.readers.tabular import jsonable

_REFERENCE, _REPORT = "DocumentReference", "DiagnosticReport"
_ENTERED_IN_ERROR = "entered-in-error"
_PREFERRED = ("text/plain", "text/html", "application/xhtml+xml")
# Beside what becomes a column: the narrative is made from the other fields.
_LEFT_OUT = ("resourceType", "id", "text", "content", "presentedForm")
_CUT_LINE = re.compile(rb'\{\s*"resourceType"\s*:')
_BOM = b"\xef\xbb\xbf"
_PLACE = re.compile(r"(?:^|/)(?P<type>[A-Z][A-Za-z]+)/(?P<id>[^/?#]+)(?:/_history/[^/]+)?$")
_URN = re.compile(r"urn:(?:uuid|oid):(?P<id>.+)")

Raw = Mapping[str, Any]


def _parse(file: SourceFile) -> Iterator[Record]:
    folder = file.root or file.path.parent
    for resource in json_lines(file.path):
        if isinstance(resource, BadRecord):
            yield resource
        elif not isinstance(resource.get("resourceType"), str):
            yield BadRecord("line is no FHIR resource: it has no resourceType")
        elif resource["resourceType"] == "Bundle":
            yield BadRecord("line is a Bundle: export as bulk data NDJSON")
        elif resource["resourceType"] == _REFERENCE:
            yield _record(resource, _attachments(resource, "content"), file.path, folder)
        elif resource["resourceType"] == _REPORT and (
            forms := _attachments(resource, "presentedForm")  # most are results without a document
        ):
            yield _record(resource, forms, file.path, folder)


def _attachments(resource: Raw, field: str) -> list[Raw]:
    found = []
    for item in _list(resource.get(field)):
        attachment = item.get("attachment") if field == "content" else item
        if isinstance(attachment, Mapping):
            found.append(attachment)
    return found


def _record(resource: Raw, attachments: list[Raw], path: Path, folder: Path) -> Record:
    native_id = resource.get("id")
    if not isinstance(native_id, str) or not native_id.strip():
        return BadRecord("id is empty")
    if resource["resourceType"] != _REFERENCE:
        native_id = f"{resource['resourceType']}/{native_id}"  # ids are unique within a type only
    if _ENTERED_IN_ERROR in (resource.get("status"), resource.get("docStatus")):
        return Deletion(native_id)
    if not attachments:
        return BadRecord("resource has no attachment")
    try:
        attachment, text = _read_best(attachments, path, folder)
        metadata = _metadata(resource, attachments)
    except Unreadable as problem:
        return BadRecord(str(problem))
    except RecursionError:
        return BadRecord("a field is nested too deep")
    stated = _date(resource)
    document_date = parse_date(stated)
    if stated is not None and (document_date is None or stated != document_date.isoformat()):
        metadata["date"] = stated
    return Document(
        native_id=native_id,
        text=text,
        kind="note",
        title=_string(attachment.get("title")),
        document_date=document_date,
        document_type=_type(resource),
        person_id=_referred(resource.get("subject"), "Patient"),
        encounter_id=_encounter(resource),
        metadata=metadata,
    )


def _read_best(attachments: list[Raw], path: Path, folder: Path) -> tuple[Raw, str]:
    """The first attachment that can be read, and its text.

    Raises:
        Unreadable: none can; why the first one cannot.
    """

    def rank(attachment: Raw) -> int:
        media = media_type(attachment)
        return _PREFERRED.index(media) if media in _PREFERRED else len(_PREFERRED)

    problems = []
    for attachment in sorted(attachments, key=rank):
        try:
            return attachment, attachment_text(attachment, path, folder)
        except Unreadable as problem:
            problems.append(problem)
    raise problems[0]


def _metadata(resource: Raw, attachments: list[Raw]) -> dict[str, Any]:
    """All fields but what the document is made of; of attachments all but their data."""
    metadata = {name: jsonable(value) for name, value in resource.items() if name not in _LEFT_OUT}
    metadata["attachments"] = [
        {name: jsonable(value) for name, value in attachment.items() if name != "data"}
        for attachment in attachments
    ]
    metadata["resourceType"] = resource["resourceType"]
    return metadata


def _date(resource: Raw) -> str | None:
    """The day of the note: when it was written; of a report, what day it speaks of."""
    context = resource.get("context")
    stated = (
        resource.get("date"),
        resource.get("effectiveDateTime"),
        _start(resource.get("effectivePeriod")),
        resource.get("issued"),
        _start(context.get("period")) if isinstance(context, Mapping) else None,
        _start(resource.get("period")),
    )
    return next((value for value in map(_string, stated) if value is not None), None)


def _start(period: Any) -> Any:
    return period.get("start") if isinstance(period, Mapping) else None


def _type(resource: Raw) -> str | None:
    """What the type, or a report's code, is called; else the code itself."""
    concept = resource.get("type") or resource.get("code")
    if not isinstance(concept, Mapping):
        return None
    codings = _list(concept.get("coding"))
    names = [*(c.get("display") for c in codings), concept.get("text")]
    codes = [c.get("code") for c in codings]
    return next((value for value in map(_string, names + codes) if value is not None), None)


def _encounter(resource: Raw) -> str | None:
    """R4 has encounters below ``context``, R5 among the references that ``context`` is."""
    context = resource.get("context")
    below = context.get("encounter") if isinstance(context, Mapping) else context
    given = [resource.get("encounter"), *_list(below)]
    found = (_referred(reference, "Encounter") for reference in given)
    return next((value for value in found if value is not None), None)


def _referred(reference: Any, kind: str) -> str | None:
    """The id that a reference to a resource of this type gives, or its business identifier."""
    if not isinstance(reference, Mapping):
        return None
    address = reference.get("reference")
    if isinstance(address, str):
        if place := _PLACE.search(address):
            return place["id"] if place["type"] == kind else None
        if (urn := _URN.fullmatch(address)) and reference.get("type") in (None, kind):
            return urn["id"]
    identifier = reference.get("identifier")
    if isinstance(identifier, Mapping) and reference.get("type") in (None, kind):
        return _string(identifier.get("value"))
    return None


def _list(value: Any) -> list[Raw]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _sniff(head: bytes) -> bool:
    """Whether the first line that is JSON is a resource; one longer than the head must begin so."""
    lines = head.removeprefix(_BOM).splitlines()
    for line in lines:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        return isinstance(value, dict) and isinstance(value.get("resourceType"), str)
    return any(_CUT_LINE.match(line.lstrip()) for line in lines)


FHIR = Reader(
    name="fhir",
    version=2,
    suffixes=(".ndjson", ".jsonl"),
    parse=_parse,
    sniff=_sniff,
    default_corpus=lambda path, root: "fhir",
)
