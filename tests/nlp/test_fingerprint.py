"""The annotation_id: what changes annotations changes it, nothing else does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from nlp.assertion import AssessorError
from nlp.fingerprint import AnnotationSet, identify
from nlp.ner.errors import ModelError
from nlp.preprocess import PreprocessError
from nlp.privacy import PrivacyError
from nlp.settings import AnnotationSettings


def _identify(*folders: Path, **ner: Any) -> AnnotationSet:
    models = [str(folder) for folder in folders]
    return identify(AnnotationSettings.model_validate({"ner": {"models": models, **ner}}))


def test_hardware_is_no_part_of_it(random_folder: Path) -> None:
    expected = _identify(random_folder)
    assert _identify(random_folder, device="cuda:3", precision="bf16") == expected
    assert _identify(random_folder, device="cpu", precision="fp32") == expected


def test_label_map_is_part_of_it(random_folder: Path) -> None:
    mapped = _identify(random_folder, label_map={"Disease": "Problem"})
    assert mapped.annotation_id != _identify(random_folder).annotation_id
    assert mapped.models[0].labels == ("Chemical", "Problem")


def test_weights_are_part_of_it(random_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(random_folder, tmp_path / random_folder.name)
    before = _identify(folder)
    assert before == _identify(random_folder)
    weights = load_file(folder / "model.safetensors")
    weights["classifier.bias"] += 1e-3
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    after = _identify(folder)
    assert after.annotation_id != before.annotation_id
    assert after.models[0].fingerprint != before.models[0].fingerprint


def test_models_and_their_order_are_part_of_it(random_folder: Path, obedient_folder: Path) -> None:
    both = _identify(random_folder, obedient_folder)
    assert [m.name for m in both.models] == ["random", "obedient"]
    others = [_identify(random_folder), _identify(obedient_folder, random_folder)]
    assert both.annotation_id not in {other.annotation_id for other in others}


@pytest.mark.parametrize("version", ["ANNOTATE_VERSION", "ENGINE_VERSION", "PREPROCESS_VERSION"])
def test_stage_versions_are_part_of_it(
    random_folder: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    before = _identify(random_folder).annotation_id
    monkeypatch.setattr(f"nlp.fingerprint.{version}", 1_000)
    assert _identify(random_folder).annotation_id != before


def test_settings_say_what_the_id_stands_for(random_folder: Path) -> None:
    found = _identify(random_folder, label_map={"Disease": "Problem"})
    described = json.loads(found.settings)
    assert described["label_map"] == {"Disease": "Problem"}
    assert described["models"] == [["random", found.models[0].fingerprint]]
    assert str(random_folder) not in found.settings


def test_missing_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        _identify(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"assertion": {"rules": "bad.toml"}}, AssessorError),
        ({"preprocess": {"section_rules": "bad.toml"}}, PreprocessError),
        ({"privacy": {"mode": "mask", "names": "bad.toml"}}, PrivacyError),
    ],
)
def test_files_that_cannot_be_used_are_told_of_before_a_document_is_read(
    random_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, dict[str, str]],
    error: type[Exception],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHARTHOUSE_PRIVACY_KEY", "0123456789abcdef")
    Path("bad.toml").write_text('[[rule]]\nid = "a"\n', "utf-8")
    models = {"ner": {"models": [str(random_folder)]}}
    with pytest.raises(error, match=r"bad\.toml"):
        identify(AnnotationSettings.model_validate(models | settings))
