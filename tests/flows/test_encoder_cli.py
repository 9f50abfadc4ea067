"""``charthouse ontology encode`` and ``train encoder`` as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast
from typer.testing import CliRunner, Result

from flows.cli.main import app
from flows.errors import CharthouseError
from flows.settings import Settings
from flows.targets import link_targets
from ontologies.encoder_source import encoder_fingerprint, find_encoder
from tests.ontologies.conftest import DESCRIPTORS, SUPPLEMENTARY, mesh_file


def call(*arguments: str | Path, code: int = 0) -> Result:
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    if isinstance(done.exception, CharthouseError):
        raise done.exception
    assert done.exit_code == code, done.output
    return done


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random encoder of letters."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces += [mark + chr(code) for code in range(97, 123) for mark in ("", "##")]
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
    )
    folder = tmp_path_factory.mktemp("encoders") / "letters"
    BertModel(config).save_pretrained(folder)
    BertTokenizerFast(vocab={p: i for i, p in enumerate(pieces)}).save_pretrained(folder)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    desc = mesh_file(tmp_path / "desc.xml", *DESCRIPTORS)
    supp = mesh_file(tmp_path / "supp.xml", *SUPPLEMENTARY, root="SupplementalRecordSet")
    call("ontology", "build", "--mesh", desc, "--mesh", supp, "--out", tmp_path / "store")
    return tmp_path / "store"


def test_an_encoded_store_says_by_what(store: Path, encoder: Path) -> None:
    arguments = ("ontology", "encode", store, "--encoder", encoder, "--device", "cpu")
    made = json.loads(call(*arguments, "--json").stdout)
    fingerprint = encoder_fingerprint(find_encoder(str(encoder)))
    assert (made["encoder"], made["dimension"]) == ("letters", 16)
    assert made["fingerprint"] == fingerprint
    assert f"{made['rows']:,} names" in call(*arguments).stdout
    info = json.loads(call("ontology", "info", store, "--json").stdout)
    assert info["encoders"] == [made]
    shown = call("ontology", "info", store).stdout
    assert f"encoded by letters {fingerprint[:16]}" in shown


def test_a_trained_encoder_encodes_the_store(store: Path, encoder: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.tsv"
    names.write_text("concept_id\tname\nMESH:D003139\tcolds\nMESH:D012220\tcoryza\n")
    out = tmp_path / "trained"
    arguments = ("train", "encoder", store, "--base", encoder, "--out", out, "--names", names)
    trained = json.loads(call(*arguments, "--batch-pairs", "4", "--json").stdout)
    assert trained["pairs"] > 0
    said = (out / "README.md").read_text()
    assert "MeSH: U.S. National Library of Medicine" in said
    assert "letters" in said
    assert not list(tmp_path.glob("*.work"))
    made = json.loads(call("ontology", "encode", store, "--encoder", out, "--json").stdout)
    assert made["encoder"] == "trained"
    with pytest.raises(CharthouseError, match="is not empty"):
        call(*arguments)
    assert "Use it: charthouse ontology encode" in call(*arguments, "--overwrite").stdout


def test_what_cannot_be_used_is_said_before_anything_is_written(
    store: Path, encoder: Path, tmp_path: Path
) -> None:
    with pytest.raises(CharthouseError, match="no such folder; use minilm"):
        call("ontology", "encode", store, "--encoder", tmp_path / "none")
    with pytest.raises(CharthouseError, match="does not exist"):
        call("ontology", "encode", tmp_path / "none", "--encoder", encoder)
    assert not (store / "dense").exists()
    train = ("train", "encoder", store, "--base", encoder)
    with pytest.raises(CharthouseError, match="no concept has two names"):
        call(*train, "--semantic-type", "Z99", "--out", tmp_path / "out")
    with pytest.raises(CharthouseError, match="its folder does not exist"):
        call(*train, "--out", tmp_path / "none" / "out")
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    with pytest.raises(CharthouseError, match="--overwrite spares it"):
        call(*train, "--out", full, "--overwrite")
    assert (full / "mine.txt").is_file()
    assert not (tmp_path / "out").exists()
    call("ontology", "encode", store, "--pooling", "max", code=2)


def test_linking_by_an_encoder_wants_a_store_that_it_encoded(
    store: Path, encoder: Path, tmp_path: Path
) -> None:
    settings = Settings(link={"encoder": str(encoder)})
    config = tmp_path / "charthouse.toml"
    config.write_text(f'[link]\nencoder = "{encoder}"\n')
    asked = (
        "link",
        "--ontology",
        store,
        "--config",
        config,
        "--label",
        "Disease",
        "colds of a kind",
    )
    with pytest.raises(CharthouseError, match="holds no vectors of the encoder"):
        link_targets([str(store)], settings)
    with pytest.raises(CharthouseError, match="holds no vectors of the encoder"):
        call(*asked)
    call("ontology", "encode", store, "--encoder", encoder, "--device", "cpu")
    (target,) = link_targets([str(store)], settings)
    (plain,) = link_targets([str(store)], Settings())
    assert target.linkset_id != plain.linkset_id
    row = json.loads(call(*asked, "--json").stdout.splitlines()[0])
    assert row["method"] == "dense"
    elsewhere = encoder.rename(tmp_path / "elsewhere")
    try:
        (moved,) = link_targets([str(store)], Settings(link={"encoder": str(elsewhere)}))
    finally:
        elsewhere.rename(encoder)
    assert moved.linkset_id == target.linkset_id
