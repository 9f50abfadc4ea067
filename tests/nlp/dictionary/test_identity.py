"""The annotation_id with a dictionary and without one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from nlp.dictionary import DictionaryError
from nlp.fingerprint import AnnotationSet, identify
from nlp.settings import AnnotationSettings
from ontologies.store import ConceptStore

from .conftest import MakeStore


def _identify(
    *stores: ConceptStore, models: tuple[Path, ...] = (), **filters: Any
) -> AnnotationSet:
    dictionary = {"stores": [str(store.path) for store in stores], **filters}
    settings = {"ner": {"models": [str(folder) for folder in models]}, "dictionary": dictionary}
    return identify(AnnotationSettings.model_validate(settings))


def test_without_a_dictionary_nothing_of_it_is_in_the_id(random_folder: Path) -> None:
    found = _identify(models=(random_folder,), min_characters=9, labels=("Finding",))
    described = json.loads(found.settings)
    assert set(described) == {
        *("annotate", "engine", "preprocess", "pipeline", "models", "label_map"),
        *("sections", "assertion", "quantities"),
    }
    assert found.annotation_id == hashlib.sha256(found.settings.encode()).hexdigest()[:16]
    assert [name for name, _ in described["models"]] == ["random"]


def test_a_dictionary_is_a_model_among_models(random_folder: Path, ward: ConceptStore) -> None:
    found = _identify(ward, models=(random_folder,))
    name = f"dictionary:{ward.release.release_id}"
    assert [m.name for m in found.models] == ["random", name]
    assert "Procedure" in found.models[1].labels
    assert json.loads(found.settings)["models"][1] == [name, found.models[1].fingerprint]
    assert str(ward.path) not in found.settings
    assert found.annotation_id != _identify(models=(random_folder,)).annotation_id


def test_what_changes_the_mentions_of_a_dictionary_changes_the_id(
    ward: ConceptStore, make_store: MakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = tmp_path / "words.txt"
    words.write_text("fever\n")
    other = make_store(("Fever", "C23"))
    sets = [
        _identify(ward),
        _identify(other),
        _identify(ward, other),
        _identify(other, ward),
        _identify(ward, labels=("Finding",)),
        _identify(ward, types=("C23",)),
        _identify(ward, min_characters=4),
        _identify(ward, same_case=4),
        _identify(ward, stop_words=words),
    ]
    monkeypatch.setattr("nlp.dictionary.source.DICTIONARY_VERSION", 1_000)
    sets.append(_identify(ward))
    assert len({found.annotation_id for found in sets}) == len(sets)
    one_store = [found.models[0].fingerprint for found in sets if len(found.models) == 1]
    assert len(set(one_store)) == len(one_store)


def test_what_does_not_is_no_part_of_it(ward: ConceptStore, tmp_path: Path) -> None:
    before = _identify(ward, labels=("Gene", "Finding"))
    assert before == _identify(ward, labels=("Finding", "Gene", "Gene"))
    words = tmp_path / "words.txt"
    words.write_text("# nothing new\nThe\n")
    assert _identify(ward, stop_words=words) == _identify(ward)


def test_nothing_to_find_mentions_with() -> None:
    with pytest.raises(ValidationError, match=r"ner\.models"):
        AnnotationSettings.model_validate({"ner": {"models": []}})


def test_missing_store(tmp_path: Path) -> None:
    settings = {"ner": {"models": []}, "dictionary": {"stores": [str(tmp_path / "nowhere")]}}
    with pytest.raises(DictionaryError, match="nowhere"):
        identify(AnnotationSettings.model_validate(settings))
