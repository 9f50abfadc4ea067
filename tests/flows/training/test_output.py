"""What may be written over, and what is refused before anything is trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows.errors import CharthouseError
from flows.training.corpora import DataRequest
from flows.training.ner import NerOrder, prepare_order
from flows.training.order import save_order
from flows.training.output import (
    CHECKPOINTS,
    DESCRIPTION,
    HISTORY,
    check_output,
    clear_output,
    give_up,
    goes_on,
)
from flows.training.run import _held
from flows.work import make_private
from tests.flows.training.conftest import MakeGold, write_pubtator


@pytest.fixture
def order(tmp_path: Path, base: Path, make_gold: MakeGold) -> NerOrder:
    train = write_pubtator(tmp_path / "train.txt", make_gold(6, seed=1))
    dev = write_pubtator(tmp_path / "dev.txt", make_gold(2, seed=2))
    request = DataRequest((train,), (dev,))
    return prepare_order(request, str(base), {"epochs": 2}, tmp_path / "model", "cpu")


def begin(order: NerOrder) -> None:
    """Leave what a killed training leaves."""
    make_private(order.work.root)
    save_order(order)
    make_private(order.work.root / CHECKPOINTS)
    (order.work.root / CHECKPOINTS / "state.pt").write_bytes(b"x")
    order.out.mkdir(exist_ok=True)
    (order.out / HISTORY).write_text("rows")


def test_the_same_training_goes_on_and_keeps_its_rows(order: NerOrder) -> None:
    check_output(order, overwrite=False)
    assert not goes_on(order)
    begin(order)
    for overwrite in (False, True):
        check_output(order, overwrite=overwrite)
        clear_output(order)
        assert goes_on(order)
        assert (order.out / HISTORY).is_file()
    assert order.work.order.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"recipe": {"epochs": 3, "encoder_rate": 0.1}}, "encoder rate, epochs"),
        ({"base_fingerprint": "other"}, "base"),
        ({"data": "dev"}, "dev texts"),
        ({"data": "train"}, "train texts"),
    ],
)
def test_another_training_is_told_by_its_parts(
    order: NerOrder, change: dict[str, Any], named: str
) -> None:
    begin(order)
    if "recipe" in change:
        change = {"recipe": replace(order.recipe, **change["recipe"])}
    elif "data" in change:
        role = change["data"]
        shorter = replace(getattr(order.data, role)[0], texts=())
        change = {"data": replace(order.data, **{role: (shorter,)})}
    other = replace(order, **change)
    with pytest.raises(CharthouseError, match=f"differs in {named}. Repeat its command"):
        check_output(other, overwrite=False)
    check_output(other, overwrite=True)
    clear_output(other)
    assert not list(other.work.root.iterdir())
    assert not list(other.out.iterdir())


def test_device_makes_no_other_training(order: NerOrder) -> None:
    begin(order)
    check_output(replace(order, device="cuda"), overwrite=False)


def test_a_damaged_order_is_another_training(order: NerOrder) -> None:
    begin(order)
    order.work.order.write_text("{")
    with pytest.raises(CharthouseError, match=r"differs in order\.json"):
        check_output(order, overwrite=False)


def test_a_folder_in_use_is_spared(order: NerOrder) -> None:
    order.out.mkdir()
    (order.out / "thesis.tex").write_text("x")
    with pytest.raises(CharthouseError, match=r"is not empty.*--overwrite"):
        check_output(order, overwrite=False)
    with pytest.raises(CharthouseError, match="holds files and no trained model"):
        check_output(order, overwrite=True)
    (order.out / DESCRIPTION).write_text("{}")
    (order.out / "vocab.txt").write_text("of another tokenizer")
    check_output(order, overwrite=True)
    clear_output(order)
    assert [path.name for path in order.out.iterdir()] == ["thesis.tex"]


def test_a_training_without_a_checkpoint_leaves_nothing(order: NerOrder) -> None:
    begin(order)
    give_up(order)
    assert goes_on(order) and order.out.is_dir()
    (order.work.root / CHECKPOINTS / "state.pt").unlink()
    give_up(order)
    assert not order.work.root.exists() and not order.out.exists()


def test_two_trainings_of_one_folder_cannot_meet(order: NerOrder) -> None:
    with (
        _held(order.work),
        pytest.raises(CharthouseError, match="in use by another training"),
        _held(order.work),
    ):
        pass


def test_door(tmp_path: Path, base: Path, make_gold: MakeGold) -> None:
    train = write_pubtator(tmp_path / "train.txt", make_gold(6, seed=1))
    request = DataRequest((train,), dev_share=0.5)

    def refused(problem: str, base: str = str(base), out: str = "model", **more: Any) -> None:
        recipe, device = more.get("recipe", {}), more.get("device", "cpu")
        with pytest.raises(CharthouseError, match=problem):
            prepare_order(more.get("data", request), base, recipe, tmp_path / out, device)

    refused("no such folder", base=str(tmp_path / "absent"))
    refused("holds no config.json", base=str(tmp_path))
    refused("give the revision", base="hub:owner/name")
    refused("its folder does not exist", out="no/model")
    refused("is a file", out="train.txt")
    refused("cuda:99", device="cuda:99")
    refused("does not exist", data=DataRequest((tmp_path / "absent.txt",), dev_share=0.1))
    with pytest.raises(CharthouseError, match="both --base and --out"):
        prepare_order(request, str(base), {}, base, "cpu")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train.txt"]


def test_adapters_without_their_package(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.training.order.importlib.util.find_spec", lambda name: None)
    with pytest.raises(CharthouseError, match=r"need the package peft.*charthouse\[train\]"):
        prepare_order(DataRequest(()), str(base), {"lora_rank": 4}, tmp_path / "model", "cpu")
