"""Token classifiers beside the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp.ner.device import choose_device
from nlp.privacy import PrivacyError
from nlp.privacy.finder import Finder
from nlp.privacy.models import kind_of_label
from nlp.settings import PrivacySettings
from tests.nlp.conftest import MakeModel

CPU = choose_device("cpu", "fp32")


@pytest.fixture(scope="module")
def folder(make_model: MakeModel) -> Path:
    """It tags aspirin as a patient and cancer as a date."""
    return make_model(obedient=True, tags=("O", "B-PATIENT", "I-PATIENT", "B-DATE", "I-DATE"))


def test_what_a_model_finds_is_masked_beside_what_rules_find(folder: Path) -> None:
    finder = Finder(PrivacySettings(models=(str(folder),)), CPU)
    text = "aspirin saw Dr. Smith, then cancer came"
    found = finder.find([text, ""])[0]
    assert [(f.kind, text[f.start : f.end]) for f in found] == [
        ("name", "aspirin"),
        ("name", "Smith"),
        ("date", "cancer"),
    ]
    assert found[0].rule_id == f"model:{folder.name}"


def test_a_model_of_diseases_is_refused(obedient_folder: Path) -> None:
    with pytest.raises(PrivacyError, match="none of its labels"):
        Finder(PrivacySettings(models=(str(obedient_folder),)), CPU)


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("PATIENT", "name"),
        ("PER", "name"),
        ("HOSPITAL", "location"),
        ("LOCATION-OTHER", "location"),
        ("ZIP", "location"),
        ("MEDICALRECORD", "mrn"),
        ("phone_number", "phone"),
        ("IDNUM", "other"),
        ("PROFESSION", None),
        ("STATE", None),
        ("SOMETHING", "other"),
    ],
)
def test_labels_of_common_sets(label: str, kind: str | None) -> None:
    assert kind_of_label(label) == kind
