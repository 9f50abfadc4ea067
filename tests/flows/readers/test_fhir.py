"""Bulk Data files of FHIR; the resources are checked against the specification's own model."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.diagnosticreport import DiagnosticReport
from fhir.resources.R4B.documentreference import DocumentReference

from flows.errors import SourceError
from flows.readers import READERS
from flows.readers.discover import discover
from flows.readers.record import BadRecord, Deletion, Document, Record

Read = Callable[..., list[Record]]
Raw = dict[str, Any]


def attached(text: str | bytes, content_type: str = "text/plain", **more: str) -> Raw:
    raw = text.encode() if isinstance(text, str) else text
    return {"contentType": content_type, "data": base64.b64encode(raw).decode(), **more}


def note(*attachments: Raw, **more: Any) -> Raw:
    resource = {
        "resourceType": "DocumentReference",
        "id": "d1",
        "status": "current",
        "content": [{"attachment": attachment} for attachment in attachments],
        **more,
    }
    DocumentReference.model_validate(resource)
    return resource


def report(**more: Any) -> Raw:
    resource = {
        "resourceType": "DiagnosticReport",
        "id": "r1",
        "status": "final",
        "code": {"text": "CT head"},
        **more,
    }
    DiagnosticReport.model_validate(resource)
    return resource


def write(path: Path, *resources: Raw | str) -> Path:
    lines = (r if isinstance(r, str) else json.dumps(r) for r in resources)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_note_with_all_that_belongs_to_it(tmp_path: Path, read: Read) -> None:
    loinc = {"system": "http://loinc.org", "code": "11506-3", "display": "Progress note"}
    path = write(
        tmp_path / "DocumentReference.ndjson",
        note(
            attached("Fever.\nNo cough – yet.", "text/plain; charset=utf-8", title="Visit"),
            type={"coding": [loinc]},
            subject={"reference": "Patient/p-7"},
            date="2150-01-31T23:30:00-05:00",
            author=[{"reference": "Practitioner/9"}],
            context={"encounter": [{"reference": "https://fhir.test/r4/Encounter/e3/_history/2"}]},
        ),
    )
    (document,) = read(path)
    assert isinstance(document, Document)
    assert document.text == "Fever.\nNo cough – yet."
    assert document.native_id == "d1"
    assert document.kind == "note"
    assert document.title == "Visit"
    assert document.document_date == date(2150, 1, 31)
    assert document.document_type == "Progress note"
    assert document.person_id == "p-7"
    assert document.encounter_id == "e3"
    assert document.metadata["date"] == "2150-01-31T23:30:00-05:00"
    assert document.metadata["author"] == [{"reference": "Practitioner/9"}]
    assert document.metadata["type"] == {"coding": [loinc]}
    assert document.metadata["attachments"] == [
        {"contentType": "text/plain; charset=utf-8", "title": "Visit"}
    ]


def test_corpus_is_the_same_however_an_export_is_cut(tmp_path: Path) -> None:
    for name in ("DocumentReference.000.ndjson", "DiagnosticReport.ndjson"):
        write(tmp_path / name, note(attached("x")))
    (tmp_path / "notes.ndjson").write_text('{"note_id": 1, "text": "\\"resourceType\\": \\"x\\""}')
    files = {file.path.name: file for file in discover([str(tmp_path)])}
    assert {name: file.format for name, file in files.items()} == {
        "DocumentReference.000.ndjson": "fhir",
        "DiagnosticReport.ndjson": "fhir",
        "notes.ndjson": "jsonl",
    }
    assert files["DocumentReference.000.ndjson"].corpus == "fhir"
    assert files["DiagnosticReport.ndjson"].corpus == "fhir"


def test_first_line_longer_than_the_sniffed_head(tmp_path: Path, read: Read) -> None:
    text = "Long note. " * 20_000
    path = tmp_path / "x.ndjson.gz"
    path.write_bytes(gzip.compress(json.dumps(note(attached(text))).encode()))
    assert [r.text for r in read(path) if isinstance(r, Document)] == [text]


@pytest.mark.parametrize(
    ("attachment", "text"),
    [
        (attached("<p>Fever.</p><p>No cough.</p>", "text/html"), "Fever.\nNo cough."),
        (attached("<div>ok<br/>so</div>", "application/xhtml+xml"), "ok\nso"),
        (attached("Größe".encode("latin-1"), "text/plain; charset=ISO-8859-1"), "Größe"),
        (attached("\ufeffGröße"), "Größe"),
        (
            attached('<meta charset="latin1"><p>Größe</p>'.encode("latin-1"), "text/html"),
            "Größe",
        ),
    ],
)
def test_types_and_charsets(tmp_path: Path, read: Read, attachment: Raw, text: str) -> None:
    (document,) = read(write(tmp_path / "x.ndjson", note(attachment)))
    assert isinstance(document, Document)
    assert document.text == text


@pytest.mark.parametrize(
    ("attachment", "reason"),
    [
        (attached("x", "application/rtf"), "attachment type application/rtf is not read"),
        (attached("x", "Mr. Smith"), "attachment type is not read"),
        ({"data": "eA=="}, "attachment has no contentType"),
        ({"contentType": "text/plain"}, "attachment has neither data nor a URL"),
        (attached(b"\xff"), "attachment is not valid utf-8"),
        (attached("x", "text/plain; charset=klingon"), "charset klingon of an attachment is not"),
        (attached("x", "text/plain; charset=hex"), "charset hex of an attachment is not known"),
        (attached(""), "text is empty"),
        (attached("<p> </p>", "text/html"), "text is empty"),
    ],
)
def test_attachments_that_cannot_be_read(
    tmp_path: Path, read: Read, attachment: Raw, reason: str
) -> None:
    (record,) = read(write(tmp_path / "x.ndjson", note(attachment)))
    assert isinstance(record, BadRecord)
    assert record.reason.startswith(reason)


def test_data_that_is_no_base64(tmp_path: Path, read: Read) -> None:
    broken = note(attached("x"))
    broken["content"][0]["attachment"]["data"] = "§§"
    assert read(write(tmp_path / "x.ndjson", broken)) == [
        BadRecord("attachment is not valid base64")
    ]


def test_of_several_attachments_plain_text_is_read_first(tmp_path: Path, read: Read) -> None:
    both = note(attached("%PDF", "application/pdf"), attached("<p>a", "text/html"), attached("b"))
    only_html = note(attached("%PDF", "application/pdf"), attached("<p>a", "text/html"))
    records = read(write(tmp_path / "x.ndjson", both, only_html))
    assert [r.text for r in records if isinstance(r, Document)] == ["b", "a"]


def test_files_that_urls_name_must_lie_in_the_folder(tmp_path: Path, read: Read) -> None:
    export = tmp_path / "export"
    (export / "Binary").mkdir(parents=True)
    (export / "Binary" / "b1").write_text("From a file.")
    (tmp_path / "secret").write_text("Not of the export.")
    (export / "link").symlink_to(tmp_path / "secret")
    urls = ("Binary/b1", "../secret", "link", "Binary/none", "https://fhir.test/Binary/b1")
    path = write(
        export / "x.ndjson",
        *(note({"contentType": "text/plain", "url": url}) for url in urls),
    )
    outside = BadRecord("the file of the attachment is not in the source's folder")
    first, *others = read(path)
    assert isinstance(first, Document)
    assert first.text == "From a file."
    assert others == [
        *(outside, outside, outside),
        BadRecord("attachment is at a URL elsewhere; export with the data in the resource"),
    ]


def test_resources_entered_in_error_are_withdrawn(tmp_path: Path, read: Read) -> None:
    wrong = note(attached("x"), status="entered-in-error")
    path = write(
        tmp_path / "x.ndjson",
        wrong,
        note(attached("x"), docStatus="entered-in-error"),
        note(attached("old"), status="superseded"),
        report(status="entered-in-error", presentedForm=[attached("x")]),
    )
    first, second, third, fourth = read(path)
    assert first == second == Deletion("d1")
    assert isinstance(third, Document)
    assert third.metadata["status"] == "superseded"
    assert fourth == Deletion("DiagnosticReport/r1")


def test_reports_with_a_document(tmp_path: Path, read: Read) -> None:
    path = write(
        tmp_path / "x.ndjson",
        report(),
        report(
            presentedForm=[attached("No bleed.")],
            subject={"reference": "urn:uuid:5c1e", "type": "Patient"},
            encounter={"identifier": {"value": "V-17"}},
            effectivePeriod={"start": "2150-02-03"},
            issued="2150-02-04T08:00:00Z",
        ),
    )
    (document,) = read(path)
    assert isinstance(document, Document)
    assert document.native_id == "DiagnosticReport/r1"
    assert document.text == "No bleed."
    assert document.document_type == "CT head"
    assert document.person_id == "5c1e"
    assert document.encounter_id == "V-17"
    assert document.document_date == date(2150, 2, 3)
    assert "date" not in document.metadata
    assert document.metadata["issued"] == "2150-02-04T08:00:00Z"


def test_the_form_of_release_5(tmp_path: Path, read: Read) -> None:
    resource = note(attached("x")) | {
        "context": [{"reference": "Appointment/1"}, {"reference": "Encounter/e9"}],
        "subject": {"reference": "Group/g"},
        "type": {"coding": [{"code": "34109-9"}]},
        "period": {"start": "2150-05"},
    }
    (document,) = read(write(tmp_path / "x.ndjson", resource))
    assert isinstance(document, Document)
    assert document.encounter_id == "e9"
    assert document.person_id is None
    assert document.metadata["subject"] == {"reference": "Group/g"}
    assert document.document_type == "34109-9"
    assert document.document_date == date(2150, 5, 1)


def test_other_resources_are_passed_over_and_bad_lines_told(tmp_path: Path, read: Read) -> None:
    nameless = note(attached("x"))
    del nameless["id"]
    path = write(
        tmp_path / "x.ndjson",
        '{"resourceType": "Patient", "id": "p"}',
        "not JSON",
        '{"id": "p"}',
        nameless,
        '{"resourceType": "DocumentReference", "id": "d", "content": "none"}',
        note(attached("Kept."), id="d2"),
    )
    *others, document = read(path)
    assert others == [
        BadRecord("line is not JSON"),
        BadRecord("line is no FHIR resource: it has no resourceType"),
        BadRecord("id is empty"),
        BadRecord("resource has no attachment"),
    ]
    assert isinstance(document, Document)
    assert document.native_id == "d2"


def test_a_cut_export_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson.gz"
    whole = gzip.compress(json.dumps(note(attached("Long note. " * 20_000))).encode())
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="ends too early"):
        list(READERS["fhir"].read(discover([str(path)], format="fhir")[0]))


@pytest.mark.parametrize("empty", [attached(""), attached(" \n"), attached("a\0b")])
def test_an_empty_attachment_does_not_hide_the_next(tmp_path: Path, read: Read, empty: Raw) -> None:
    (document,) = read(write(tmp_path / "x.ndjson", note(empty, attached("<p>Fever", "text/html"))))
    assert isinstance(document, Document)
    assert document.text == "Fever"


def test_blank_data_beside_a_url(tmp_path: Path, read: Read) -> None:
    (tmp_path / "visit 1").write_text("Fever.")
    resource = note(attached("", url="visit%201"))
    (document,) = read(write(tmp_path / "x.ndjson", resource))
    assert isinstance(document, Document)
    assert document.text == "Fever."


def test_encoded_urls_must_lie_in_the_folder(tmp_path: Path, read: Read) -> None:
    (tmp_path / "secret").write_text("Not of the export.")
    (tmp_path / "export").mkdir()
    resource = note({"contentType": "text/plain", "url": "%2e%2e%2fsecret"})
    assert read(write(tmp_path / "export" / "x.ndjson", resource)) == [
        BadRecord("the file of the attachment is not in the source's folder")
    ]


def test_binaries_in_files_of_their_own(tmp_path: Path, read: Read) -> None:
    def binary(native_id: str, text: bytes, content_type: str = "text/plain") -> Raw:
        data = base64.b64encode(text).decode()
        return {
            "resourceType": "Binary",
            "id": native_id,
            "contentType": content_type,
            "data": data,
        }

    write(
        tmp_path / "Binary.000.ndjson",
        *(binary(f"n{number}", f"Note {number}.".encode()) for number in range(50)),
    )
    write(
        tmp_path / "Binary.001.ndjson",
        "not JSON",
        {"resourceType": "Patient", "id": "late"},
        binary("late", "Größe".encode("latin-1"), "text/plain; charset=latin1"),
        {"resourceType": "Binary", "id": "none", "contentType": "text/plain"},
        {"resourceType": "Binary", "id": "broken", "data": "§"},
    )
    urls = ("Binary/n17", "https://fhir.test/r4/Binary/n3/_history/2", "Binary/late")
    bad = ("Binary/none", "Binary/broken", "Binary/n50", "https://fhir.test/Binary/n50")
    path = write(
        tmp_path / "DocumentReference.ndjson",
        *(note({"contentType": "text/plain", "url": url}) for url in urls + bad),
    )
    records = read(path)
    assert [r.text for r in records if isinstance(r, Document)] == ["Note 17.", "Note 3.", "Größe"]
    assert records[3:] == [
        BadRecord("text is empty"),
        BadRecord("attachment is not valid base64"),
        BadRecord("the file of the attachment is not in the source's folder"),
        BadRecord("attachment is at a URL elsewhere; export with the data in the resource"),
    ]
    assert read(tmp_path / "Binary.000.ndjson") == []
    write(tmp_path / "Binary.000.ndjson", binary("n50", b"Written later."))
    assert [r.text for r in read(path) if isinstance(r, Document)][-2:] == ["Written later."] * 2


def test_binaries_outside_the_folder_are_not_read(tmp_path: Path, read: Read) -> None:
    data = base64.b64encode(b"Not of the export.").decode()
    outside = write(tmp_path / "b.ndjson", {"resourceType": "Binary", "id": "b", "data": data})
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "Binary.ndjson").symlink_to(outside)
    resource = note({"contentType": "text/plain", "url": "Binary/b"})
    assert read(write(tmp_path / "export" / "x.ndjson", resource)) == [
        BadRecord("the file of the attachment is not in the source's folder")
    ]


def test_a_bundle_is_no_line_of_an_export(tmp_path: Path, read: Read) -> None:
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": []}
    assert read(write(tmp_path / "x.ndjson", bundle)) == [
        BadRecord("line is a Bundle: export as bulk data NDJSON")
    ]
