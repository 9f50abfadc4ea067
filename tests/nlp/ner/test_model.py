"""Finding, checking, loading and fingerprinting of models."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from nlp.ner.device import choose_device
from nlp.ner.errors import ModelError
from nlp.ner.model import load_model
from nlp.ner.source import find_model, model_fingerprint, read_model_decoder

CPU = choose_device("cpu", "fp32")


@pytest.fixture
def folder(random_folder: Path, tmp_path: Path) -> Path:
    """A copy of a model that a test may damage."""
    return shutil.copytree(random_folder, tmp_path / "copy")


def _edit_config(folder: Path, **values: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")


def test_a_folder_is_found_under_its_own_name(folder: Path) -> None:
    source = find_model(str(folder))
    assert (source.name, source.folder) == ("copy", folder)


def test_a_model_is_loaded_with_its_special_tokens(folder: Path) -> None:
    model = load_model(find_model(str(folder)), CPU)
    vocabulary = model.encoder.tokenizer.get_vocab()
    assert model.encoder.start_tokens == (vocabulary["[CLS]"],)
    assert model.encoder.end_tokens == (vocabulary["[SEP]"],)
    assert model.pad_token == vocabulary["[PAD]"]
    assert model.encoder.context == 512
    assert model.decoder.entity_labels == ("Chemical", "Disease")
    assert len(model.encoder.tokenizer.encode("x " * 600, add_special_tokens=False).ids) == 600


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder; use bundled"):
        find_model(str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("removed", "hint"),
    [
        ("config.json", "no config.json"),
        ("model.safetensors", "no weights"),
        ("tokenizer.json", "no tokenizer"),
    ],
)
def test_missing_files(folder: Path, removed: str, hint: str) -> None:
    (folder / removed).unlink()
    with pytest.raises(ModelError, match=hint):
        find_model(str(folder))


@pytest.mark.parametrize("address", ["hub:owner/name", "hub:owner/name@"])
def test_hub_without_revision(address: str) -> None:
    with pytest.raises(ModelError, match="give the revision"):
        find_model(address)


def test_hub_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # What HF_HUB_OFFLINE=1 and HF_HUB_CACHE set when the client is first imported.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match=r"not in the local cache.*pass its folder"):
        find_model("hub:owner/name@0123456789abcdef0123456789abcdef01234567")


def _no_head(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    body = {name: w for name, w in weights.items() if not name.startswith("classifier")}
    save_file(body, folder / "model.safetensors", metadata={"format": "pt"})


def _write(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("damage", "hint"),
    [
        (_write("config.json", "{"), r"config\.json cannot be read"),
        (_write("config.json", "{}"), r"config\.json cannot be read"),
        (_write("config.json", "[]"), r"config\.json cannot be read"),
        (_write("tokenizer.json", "{}"), "cannot be loaded"),
        (_write("model.safetensors", "none"), "cannot be loaded"),
        (_no_head, "classifier"),
        (lambda f: _edit_config(f, hidden_size=36), "cannot be loaded"),
        (lambda f: _edit_config(f, architectures=["BertModel"]), "no token classifier"),
        (lambda f: _edit_config(f, id2label={"0": "LABEL_0", "1": "LABEL_1"}), "LABEL_0"),
    ],
    ids=[
        "config cut",
        "config empty",
        "config no object",
        "tokenizer",
        "weights",
        "no head",
        "other shapes",
        "encoder",
        "nameless tags",
    ],
)
def test_damaged_models(folder: Path, damage: Callable[[Path], object], hint: str) -> None:
    damage(folder)
    with pytest.raises(ModelError, match=hint):
        load_model(find_model(str(folder)), CPU)


def test_an_encoder_is_refused_before_its_weights_are_read(folder: Path) -> None:
    _edit_config(folder, architectures=["BertForMaskedLM"])
    with pytest.raises(ModelError, match="BertForMaskedLM is no token classifier"):
        read_model_decoder(find_model(str(folder)))


def test_label_map_reaches_the_tags(folder: Path) -> None:
    label_map = {"Chemical": "Drug", "Disease": ""}
    model = load_model(find_model(str(folder)), CPU, label_map)
    assert model.decoder.entity_labels == ("Drug",)


def test_fingerprint_follows_what_decides_the_output(folder: Path) -> None:
    source = find_model(str(folder))
    before = model_fingerprint(source)
    (folder / "README.md").write_text("about", "utf-8")
    (folder / "training_args.bin").write_bytes(b"1")
    (folder / "tokenizer").mkdir()
    assert model_fingerprint(source) == before
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        path = folder / name
        original = path.read_bytes()
        path.write_bytes(original + b" ")
        assert model_fingerprint(source) != before
        path.write_bytes(original)
    (folder / "added_tokens.json").write_text("{}", "utf-8")
    assert model_fingerprint(source) != before


def test_fingerprint_does_not_depend_on_the_place(random_folder: Path, folder: Path) -> None:
    here, there = find_model(str(folder)), find_model(str(random_folder))
    assert model_fingerprint(here) == model_fingerprint(there)
