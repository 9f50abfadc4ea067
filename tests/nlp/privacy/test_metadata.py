"""Metadata: what its keys say, and what is replaced below them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flows.readers.base import SourceFile
from flows.readers.fhir import FHIR
from flows.readers.record import Document
from flows.readers.tabular import _COMMON_NAMES
from nlp.privacy.masks import label_mask
from nlp.privacy.metadata import read_metadata, rewrite_metadata
from nlp.privacy.metadata_keys import kind_of_key


def by_keys(metadata: dict[str, Any]) -> Any:
    """The metadata with only what its keys say replaced by labels."""
    read = read_metadata(json.dumps(metadata))
    return json.loads(rewrite_metadata(read, [[] for _ in read.strings], label_mask)[0])


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("patientName", "name"),
        ("DOB", "date"),
        ("home_phone", "phone"),
        ("MRN", "mrn"),
        ("provider", "name"),
        ("Attending Physician", "name"),
        ("birth_date", "date"),
        ("zipCode", "location"),
        ("ssn", "ssn"),
        ("specialty", None),
        ("gender", None),
        ("note_type", None),
        ("patient_dob", "date"),
        ("physician_phone", "phone"),
        ("provider_npi", "license"),
        ("dictated_by", "name"),
        ("created_by", "name"),
        ("lastname", "name"),
        ("PATIENTNAME", "name"),
        ("mothername", "name"),
        ("names", "name"),
        ("authors", "name"),
        ("wife", "name"),
        ("homephone", "phone"),
        ("officephone", "phone"),
        ("emailaddress", "email"),
        ("homeaddress", "location"),
        ("custodian", "location"),
        ("longitude", "location"),
        ("patient_ids", "mrn"),
        ("pid", "mrn"),
        ("filename", "other"),
        ("row_id", "other"),
        ("yob", "date"),
        ("birth_year", "date"),
        ("lastUpdated", "date"),
        ("effectiveDateTime", "date"),
        ("patient_age", "age"),
        ("drugname", None),
        ("drug_name", None),
        ("typename", None),
        ("note_type_concept_id", None),
        ("versionId", None),
        ("status", None),
        ("white_blood_cells", None),
        ("stage", None),
        ("dosage", None),
    ],
)
def test_keys_that_name_identifiers(key: str, kind: str | None) -> None:
    assert kind_of_key(key) == kind


@pytest.mark.parametrize("role", ["id", "person", "encounter"])
def test_columns_of_ids_that_are_not_mapped_count_as_identifiers(role: str) -> None:
    assert all(kind_of_key(name) for name in _COMMON_NAMES[role])


def test_an_inner_key_says_more_than_the_one_around_it() -> None:
    read = read_metadata('{"patient": {"id": "A123456", "birthDate": "4 Mar 1950", "n": "Ada"}}')
    assert read.names == ["Ada"]
    assert by_keys({"patient": {"id": "A1", "birthDate": "4 Mar 1950"}, "ward": {"name": "B"}}) == {
        "patient": {"id": "[ID]", "birthDate": "[DATE]"},
        "ward": {"name": "[LOCATION]"},
    }
    assert by_keys({"patient": {"code": "A1"}, "postal": {"code": "02139"}}) == {
        "patient": {"code": "[NAME]"},
        "postal": {"code": "[LOCATION]"},
    }


def test_ages_over_89_and_years_of_birth_are_replaced() -> None:
    assert by_keys({"age": 93, "patientAge": "93 years", "birth_year": 1923, "yob": "1923"}) == {
        "age": "[AGE]",
        "patientAge": "[AGE]",
        "birth_year": "[DATE]",
        "yob": "[DATE]",
    }
    younger = {"age": 89, "patient_age": "54 years", "patient": {"age": 7}}
    assert by_keys(younger) == younger


def test_of_a_fhir_resource_codings_stay_and_references_do_not(tmp_path: Path) -> None:
    coding = [{"system": "s", "code": "11506-3", "display": "Progress note"}]
    resource = {
        "resourceType": "DocumentReference",
        "id": "d1",
        "meta": {"source": "urn:pt-4471", "versionId": "2", "lastUpdated": "2019-12-31T10:00:00Z"},
        "status": "current",
        "type": {"coding": coding, "text": "Progress note"},
        "category": [{"coding": coding}],
        "subject": {"reference": "Patient/4471", "display": "Quokkaberg, Ada"},
        "authenticator": {"reference": "Practitioner/4472", "display": "Olga Numbat"},
        "custodian": {"reference": "Organization/4473", "display": "Dugong House"},
        "relatesTo": [{"code": "replaces", "target": {"reference": "DocumentReference/4474"}}],
        "context": {
            "related": [{"reference": "Encounter/4475", "identifier": {"value": "4476"}}],
            "facilityType": {"coding": coding},
            "period": {"start": "2019-12-31"},
        },
        "content": [{"attachment": {"contentType": "text/plain", "data": "Tm90ZQ=="}}],
    }
    path = tmp_path / "notes.ndjson"
    path.write_text(json.dumps(resource) + "\n", "utf-8")
    (record,) = FHIR.parse(SourceFile(path, "fhir", "notes"))
    assert isinstance(record, Document)
    shown = by_keys(dict(record.metadata))
    written = json.dumps(shown)
    for secret in ("447", "Quokkaberg", "Numbat", "Dugong", "T10:00"):
        assert secret not in written
    assert shown["type"] == resource["type"] and shown["category"] == resource["category"]
    assert shown["context"]["facilityType"] == {"coding": coding}
    assert shown["relatesTo"][0]["code"] == "replaces"
    assert shown["meta"]["versionId"] == "2" and shown["status"] == "current"


@pytest.mark.parametrize(
    "written",
    [
        "20191231",
        20191231,
        "31DEC2019:10:00:00",
        "201912311000",
        "20191231T100000",
        1577750400000,
        "2019-W52",
        "2019-365",
        "20191231100000+0000",
    ],
)
def test_dates_of_any_form_are_replaced_under_keys_of_dates(written: str | int) -> None:
    assert by_keys({"charttime": written, "written": [written]}) == {
        "charttime": "[DATE]",
        "written": ["[DATE]"],
    }


@pytest.mark.parametrize(
    "written",
    ["2150-01-31 10:00:00", "20191231", "201912311000", "12/31/2019 10:00", "2019-12", "1.2.2150"],
)
def test_a_string_that_is_a_date_is_one_under_any_key(written: str) -> None:
    assert by_keys({"observed": written, "v": "1.2.19", "n": "2019", "r": "12-14"}) == {
        "observed": "[DATE]",
        "v": "1.2.19",
        "n": "2019",
        "r": "12-14",
    }
