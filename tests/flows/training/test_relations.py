"""Training relations from gold files: checked at the door, trained by the command, used by name."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from flows.cli import train_relations
from flows.errors import CharthouseError, SourceError
from flows.training.relations import RelationOrder, RelationRequest, prepare_order
from nlp.relations.training import RelationRecipe
from tests.flows.runs import charthouse, within

_BLOCK = """{n}|t|{chemical} caused {disease} in a patient.
{n}|a|
{n}\t0\t{a}\t{chemical}\tChemical\tC{n}
{n}\t{b}\t{c}\t{disease}\tDisease\tD{n}
{n}\tCID\tC{n}\tD{n}

"""
WORDS = [
    ("Lithium", "cyanosis"),
    ("Heparin", "nausea"),
    ("Aspirin", "ulcer"),
    ("Cocaine", "seizures"),
]


def gold(path: Path, words: list[tuple[str, str]], first: int = 1) -> Path:
    blocks = []
    for n, (chemical, disease) in enumerate(words, start=first):
        a = len(chemical)
        b = a + len(" caused ")
        where = {"a": a, "b": b, "c": b + len(disease)}
        blocks.append(_BLOCK.format(n=n, chemical=chemical, disease=disease, **where))
    path.write_text("".join(blocks), encoding="utf-8")
    return path


def _order(tmp_path: Path, request: RelationRequest, base: str = "bundled") -> RelationOrder:
    return prepare_order(request, base, {"epochs": 1}, tmp_path / "out", "cpu", "rules")


def test_relation_and_labels_are_read_off_the_files(tmp_path: Path) -> None:
    train = gold(tmp_path / "train.pubtator", WORDS)
    dev = gold(tmp_path / "dev.pubtator", [WORDS[0], ("Heparin", "ulcer")], first=10)
    order = _order(tmp_path, RelationRequest((train,), (dev,)))
    recipe = order.recipe
    assert recipe.relation == "chemical_induces_disease"
    assert (recipe.subject_label, recipe.object_label, recipe.epochs) == ("Chemical", "Disease", 1)
    assert (len(order.train), len(order.dev), order.left_out) == (3, 2, 1)
    assert order.train[0].related == {("MESH:C2", "MESH:D2")}
    assert order.identity == _order(tmp_path, RelationRequest((train,), (dev,))).identity
    other = gold(tmp_path / "other.pubtator", [("Lithium", "ulcer")], first=10)
    assert order.identity != _order(tmp_path, RelationRequest((train,), (other,))).identity


def test_a_share_is_set_apart(tmp_path: Path) -> None:
    train = gold(tmp_path / "train.pubtator", WORDS)
    order = _order(tmp_path, RelationRequest((train,), dev_share=0.25))
    assert (len(order.train), len(order.dev)) == (3, 1)
    again = _order(tmp_path, RelationRequest((train,), dev_share=0.25))
    assert order.dev == again.dev


def test_what_cannot_be_trained_is_said_at_the_door(tmp_path: Path, random_gpt: Path) -> None:
    train = gold(tmp_path / "train.pubtator", WORDS)
    request = RelationRequest((train,), dev_share=0.25)
    with pytest.raises(CharthouseError, match="no encoder of BERT's form"):
        _order(tmp_path, request, str(random_gpt))
    with pytest.raises(CharthouseError, match="do not state it"):
        _order(tmp_path, RelationRequest((train,), dev_share=0.25, relation="treats"))
    silent = tmp_path / "silent.pubtator"
    rows = [row for row in train.read_text("utf-8").splitlines() if "CID" not in row]
    silent.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(SourceError, match="state no relation"):
        _order(tmp_path, RelationRequest((silent,), dev_share=0.25))
    two = train.read_text("utf-8").replace("1\tCID", "1\ttreats")
    (tmp_path / "two.pubtator").write_text(two, encoding="utf-8")
    with pytest.raises(CharthouseError, match="several relations"):
        _order(tmp_path, RelationRequest((tmp_path / "two.pubtator",), dev_share=0.25))


@pytest.fixture
def random_gpt(tmp_path: Path) -> Path:
    from tests.language_models import make_gpt2

    return make_gpt2(tmp_path / "gpt")


def test_the_help_tells_the_defaults_of_the_recipe() -> None:
    source = inspect.getsource(train_relations.relations)
    for field in fields(RelationRecipe):
        told = re.search(rf"    {field.name}: Annotated.*?default: ([^)]*)\)", source, re.DOTALL)
        if told and field.name != "relation":
            assert float(told[1]) == field.default, field.name


@pytest.mark.slow
def test_the_command_trains_and_its_result_is_judged(tmp_path: Path) -> None:
    train = gold(tmp_path / "train.pubtator", WORDS)
    dev = gold(tmp_path / "dev.pubtator", [("Heparin", "ulcer")], first=10)
    out = tmp_path / "model"
    command = ["train", "relations", "--train", str(train), "--dev", str(dev), "--out", str(out)]
    command += ["--epochs", "1", "--rank", "1", "--device", "cpu"]
    dry = json.loads(within(tmp_path, *command, "--dry-run", "--json").stdout)
    assert (dry["state"], dry["documents"]) == ("new", {"train": 4, "dev": 1})
    assert not out.exists()
    done = json.loads(charthouse(tmp_path, *command, "--json").stdout)
    assert done["scores"][0]["gold"] == 1
    names = {path.name for path in out.iterdir()}
    assert {"relations.json", "relations.safetensors", "training.tsv", "training.svg"} <= names
    assert "config.json" not in names  # its encoder is the one in the box
    assert json.loads(charthouse(tmp_path, *command, "--json").stdout)["nothing_to_do"]
    judged = charthouse(
        tmp_path,
        "evaluate",
        "relations",
        str(dev),
        "--model",
        str(out),
        "--threshold",
        "0",
        "--json",
    )
    (corpus,) = json.loads(judged.stdout)["corpora"]
    scores = {(s["scope"], s["measure"]): s["value"] for s in corpus["scores"]}
    assert scores["relations", "f1"] == scores["all_pairs", "f1"] == 1.0
