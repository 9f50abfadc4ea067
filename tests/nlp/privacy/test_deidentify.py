"""Whole documents: all columns, all modes."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nlp.ner.device import choose_device
from nlp.privacy import PrivacyError
from nlp.privacy.deidentify import Deidentified, Deidentifier, privacy_fingerprint
from nlp.schema import PRIVACY_SPANS, SECTION_SPANS
from nlp.settings import PrivacySettings

SECRET = "0123456789abcdef0123456789abcdef"
TEXT = "SEEN: Mrs. Kowalczyk, MRN 445566, on 03/04/2019.\nPLAN: Call 617-404-2368."
METADATA = {
    "patientName": "Kowalczyk, Ada",
    "note": 'Called "Kowalczyk" on\t03/05/2019',
    "ward": {"room": 12},
    "tags": ["stable", "call 617-404-2368"],
    "version": 3,
    "signed": True,
}


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARTHOUSE_PRIVACY_KEY", SECRET)


def document(**changes: Any) -> dict[str, Any]:
    plan = TEXT.index("PLAN")
    return {
        "document_id": "notes:1",
        "kind": "note",
        "title": "Visit of Mrs. Kowalczyk",
        "text": TEXT,
        "sections": [
            {"name": "seen", "start_char": 0, "end_char": plan},
            {"name": "plan", "start_char": plan, "end_char": len(TEXT)},
        ],
        "metadata": json.dumps(METADATA, ensure_ascii=False),
        "document_date": date(2019, 3, 4),
        "person_id": "person-1",
        "source_order": 7,
    } | changes


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    schema = {
        "document_id": pl.String,
        "kind": pl.String,
        "title": pl.String,
        "text": pl.String,
        "sections": SECTION_SPANS,
        "metadata": pl.String,
        "document_date": pl.Date,
        "person_id": pl.String,
        "source_order": pl.Int64,
    }
    return pl.DataFrame(list(rows), schema=schema)


def run(documents: pl.DataFrame, **settings: Any) -> Deidentified:
    chosen = PrivacySettings(**settings)
    return Deidentifier(chosen, choose_device("cpu", "fp32")).deidentify(documents)


IDENTIFIERS = ("Kowalczyk", "445566", "03/04", "03/05", "404-2368")


@pytest.mark.parametrize("mode", ["mask", "surrogate", "drop_text"])
@pytest.mark.parametrize("length", ["label", "same"])
def test_nothing_identifying_is_left_and_spans_say_where_it_was(mode: str, length: str) -> None:
    given = frame(document(), document(document_id="notes:2", person_id=None))
    done = run(given, mode=mode, mask_length=length)
    assert done.failed == {}
    assert done.documents.schema == given.schema
    assert done.documents["document_id"].to_list() == ["notes:1", "notes:2"]
    for row in done.documents.to_dicts():
        stored = " ".join(str(row[column]) for column in ("text", "title", "metadata"))
        assert not any(identifier in stored for identifier in IDENTIFIERS)
        for section, start in zip(row["sections"], ("SEEN", "PLAN"), strict=True):
            assert row["text"][section["start_char"] :].startswith(start)
        assert row["sections"][-1]["end_char"] == len(row["text"])
    wanted = [name for name in PRIVACY_SPANS.schema if name != "annotation_id"]
    assert done.spans.columns == wanted
    kinds = done.spans.filter(document_id="notes:1", field="text")["kind"].to_list()
    assert kinds == ["name", "mrn", "date", "phone"]
    assert done.spans.filter(document_id="notes:1")["span_id"].to_list() == list(
        range(len(done.spans.filter(document_id="notes:1")))
    )


def test_masks_say_the_kind() -> None:
    row = run(frame(document()), mode="mask").documents.to_dicts()[0]
    assert row["text"] == "SEEN: Mrs. [NAME], MRN [MRN], on [DATE].\nPLAN: Call [PHONE]."
    assert row["title"] == "Visit of Mrs. [NAME]"
    assert row["document_date"] == date(2019, 1, 1)
    metadata = json.loads(row["metadata"])
    assert metadata == {
        "patientName": "[NAME]",
        "note": 'Called "[NAME]" on\t[DATE]',
        "ward": {"room": "[LOCATION]"},
        "tags": ["stable", "call [PHONE]"],
        "version": 3,
        "signed": True,
    }


def test_spans_of_metadata_index_the_stored_json() -> None:
    done = run(frame(document()), mode="mask")
    stored = done.documents["metadata"][0]
    spans = done.spans.filter(field="metadata")
    words = [stored[s:e] for s, e in spans.select("start_char", "end_char").iter_rows()]
    assert words == ["[NAME]", "[NAME]", "[DATE]", "[LOCATION]", "[PHONE]"]


def test_masks_of_the_same_length_keep_offsets() -> None:
    row = run(frame(document()), mode="mask", mask_length="same").documents.to_dicts()[0]
    assert len(row["text"]) == len(TEXT)
    assert row["text"].startswith("SEEN: Mrs. *********, MRN ******, on **********.\nPLAN: Call ")
    assert row["sections"] == document()["sections"]


def test_dropping_the_text_leaves_no_title_and_no_metadata() -> None:
    done = run(frame(document()), mode="drop_text")
    row = done.documents.to_dicts()[0]
    assert row["title"] is None and row["metadata"] == "{}"
    assert len(row["text"]) == len(TEXT)
    assert set(done.spans["field"]) == {"text"}


def test_surrogates_are_the_same_within_a_patient_and_dates_shift_together() -> None:
    given = frame(
        document(),
        document(document_id="notes:2", text="Mrs. Kowalczyk came on 03/05/2019."),
        document(document_id="notes:3", person_id="person-2"),
    )
    rows = run(given, mode="surrogate").documents.to_dicts()
    name = rows[0]["text"].split("Mrs. ")[1].split(",")[0]
    assert f"Mrs. {name} came" in rows[1]["text"]
    assert f"Mrs. {name}," not in rows[2]["text"]
    shifted = rows[0]["document_date"]
    assert shifted < date(2019, 3, 4)
    assert shifted.strftime("%m/%d/%Y") in rows[0]["text"]
    assert rows[0]["text"] == run(given, mode="surrogate").documents["text"][0]


def test_other_kinds_of_documents_stay_as_they_are() -> None:
    given = frame(document(kind="abstract"))
    done = run(given, mode="mask")
    assert done.documents.equals(given)
    assert done.spans.is_empty()


def test_a_document_that_fails_is_named_by_its_row_and_the_others_stay() -> None:
    given = frame(document(), document(metadata="{no json"), document(document_id="notes:3"))
    done = run(given, mode="mask")
    assert done.failed == {1: "JSONDecodeError"}
    assert done.documents["document_id"].to_list() == ["notes:1", "notes:3"]


def test_missing_columns_of_a_document_stay_missing() -> None:
    given = frame(document(title=None, sections=None, document_date=None, metadata="{}"))
    row = run(given, mode="surrogate").documents.to_dicts()[0]
    assert row["title"] is None and row["sections"] is None and row["document_date"] is None
    assert row["metadata"] == "{}"


def test_names_of_the_list_are_found(tmp_path: Path) -> None:
    names = tmp_path / "names.tsv"
    names.write_text("# wards\nlocation\tBlue  Ward\nname\tapollo\n", "utf-8")
    given = frame(document(text="On blue ward Apollo sang.", metadata="{}", title=None))
    row = run(given, mode="mask", names=names).documents.to_dicts()[0]
    assert row["text"] == "On [LOCATION] [NAME] sang."


@pytest.mark.parametrize("line", ["Blue Ward", "colour\tBlue", "name\t", "name\t?"])
def test_a_bad_line_of_the_list_is_named(tmp_path: Path, line: str) -> None:
    names = tmp_path / "names.tsv"
    names.write_text(f"name\tAnn\n{line}\n", "utf-8")
    with pytest.raises(PrivacyError, match="line 2"):
        run(frame(), mode="mask", names=names)


def test_the_fingerprint_changes_with_what_changes_the_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = tmp_path / "names.tsv"
    names.write_text("name\tAnn\n", "utf-8")
    mask = privacy_fingerprint(PrivacySettings(mode="mask"))
    assert mask == privacy_fingerprint(PrivacySettings(mode="mask"))
    assert mask != privacy_fingerprint(PrivacySettings(mode="surrogate"))
    listed = privacy_fingerprint(PrivacySettings(mode="mask", names=names))
    assert mask != listed
    names.write_text("name\tEve\n", "utf-8")
    assert listed != privacy_fingerprint(PrivacySettings(mode="mask", names=names))
    monkeypatch.setenv("CHARTHOUSE_PRIVACY_KEY", SECRET[::-1])
    assert mask != privacy_fingerprint(PrivacySettings(mode="mask"))
    assert SECRET not in json.dumps(mask)


@pytest.mark.parametrize("mode", ["mask", "surrogate", "drop_text"])
def test_types_and_names_of_sections_are_searched_too(mode: str) -> None:
    sections = [
        {"name": "Case of Mr. Kowalczyk", "start_char": 0, "end_char": 5},
        {"name": "assessment", "start_char": 5, "end_char": len(TEXT)},
    ]
    given = frame(document(sections=sections)).with_columns(
        document_type=pl.lit("Letter to Dr. Kowalczyk")
    )
    done = run(given, mode=mode)
    assert done.failed == {} and done.documents.columns == given.columns
    row = done.documents.to_dicts()[0]
    first, second = (section["name"] for section in row["sections"])
    assert row["document_type"].startswith("Letter to Dr. ")
    assert "Kowalczyk" not in row["document_type"] + first
    assert (first == "other") if mode == "drop_text" else first.startswith("Case of Mr. ")
    assert second == "assessment"
    (span,) = done.spans.filter(field="document_type").to_dicts()
    changed = row["document_type"][span["start_char"] : span["end_char"]]
    assert changed == row["document_type"].removeprefix("Letter to Dr. ") and span["kind"] == "name"


@pytest.mark.parametrize(
    "kind", ["Discharge summary", "Nursing/other", "ECG", "Consult", "Radiology", "Physician "]
)
def test_types_of_notes_stay(kind: str) -> None:
    given = frame(document()).with_columns(document_type=pl.lit(kind))
    assert run(given, mode="mask").documents["document_type"].to_list() == [kind]


def test_identifiers_of_the_metadata_are_looked_for_in_the_text() -> None:
    metadata = {
        "mrn": "AB4471",
        "phone": "ext. 88123",
        "subject": {"reference": "Patient/99887"},
        "row_id": 2019,
        "bed": "3b",
    }
    text = "Ref ab4471 or XAB4471, ext. 88123. In 2019 99887 came, 99887.5 ml, 199887, 3b."
    row = run(frame(document(text=text, metadata=json.dumps(metadata))), mode="mask").documents
    assert row["text"][0] == (
        "Ref [MRN] or XAB4471, [PHONE]. In 2019 [ID] came, 99887.5 ml, 199887, 3b."
    )
