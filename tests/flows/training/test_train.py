"""``charthouse train ner`` as a user calls it: gold files of three forms in, a model out."""

from __future__ import annotations

import inspect
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import polars as pl
import pytest

from flows.cli import train
from flows.training.history import read_history
from flows.work import file_sha256
from nlp.annotate import Annotator
from nlp.ner.source import find_model
from nlp.ner.training import Recipe
from nlp.schema import SECTION_SPANS
from nlp.settings import AnnotationSettings, NerSettings
from tests.flows.runs import COMMAND, charthouse, environment, within
from tests.flows.training.conftest import MakeGold, write_bioc, write_iob, write_pubtator

RECIPE = [
    *("--batch-tokens", "300", "--encoder-rate", "0.003"),
    *("--head-rate", "0.02", "--average", "0.9"),
]
# Many small operations: more threads would only wait for each other.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Trained:
    """A finished training: its command, its folder, and what it printed."""

    home: Path
    arguments: list[str]
    out: Path
    stdout: str
    stderr: str


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, base: Path, make_gold: MakeGold) -> Trained:
    """Chemicals from a PubTator file, diseases from a BioC file, judged by an IOB file."""
    home = tmp_path_factory.mktemp("training")
    chemicals, diseases = make_gold(60, seed=1, labels=["Chemical"]), make_gold(60, seed=2)
    diseases = [(i, t, [m for m in ms if m[2] == "Disease"]) for i, t, ms in diseases]
    write_pubtator(home / "wardseven_chemicals.txt", chemicals)
    write_bioc(home / "wardseven_diseases.json", diseases)
    write_iob(home / "wardseven_dev.tsv", make_gold(20, seed=3))
    arguments = [
        *("train", "ner", "--train", str(home / "wardseven_chemicals.txt")),
        *("--train", str(home / "wardseven_diseases.json")),
        *("--dev", str(home / "wardseven_dev.tsv")),
        *("--base", str(base), "--out", str(home / "model"), "--epochs", "12", *RECIPE),
    ]
    done = charthouse(home, *arguments, **ONE_THREAD)
    assert done.returncode == 0, done.stderr
    return Trained(home, arguments, home / "model", done.stdout, done.stderr)


def test_what_neither_file_annotates_alone_is_learnt_from_both(trained: Trained) -> None:
    last = read_history(trained.out / "training.tsv")[-1]
    assert last.epoch == 12
    assert last.scores["precision"] > 0.95 and last.scores["recall"] > 0.95
    assert re.search(r"Chemical +\d+", trained.stdout) and re.search(
        r"Disease +\d+", trained.stdout
    )
    assert "epoch 12 of 12: loss" in trained.stderr
    assert not list(trained.home.glob("*.work"))


def test_the_folder_is_a_model(trained: Trained) -> None:
    assert find_model(str(trained.out)).name == "model"
    names = {path.name for path in trained.out.iterdir()}
    assert names >= {
        *("config.json", "model.safetensors", "tokenizer.json", "decoder.json"),
        *("training.json", "training.tsv", "training.svg"),
    }
    ner = NerSettings(models=(str(trained.out),), device="cpu")
    text = "The patient took lasix and had severe gout ."
    documents = pl.DataFrame(
        {"document_id": ["x:1"], "text": [text], "kind": ["note"], "sections": [None]},
        schema_overrides={"sections": SECTION_SPANS},
    )
    found = Annotator(AnnotationSettings(ner=ner)).annotate(documents).frames["mentions"]
    assert found.select("mention_text", "label").rows() == [
        ("lasix", "Chemical"),
        ("gout", "Disease"),
    ]


def test_the_folder_says_what_it_was_made_of_and_names_no_file(trained: Trained) -> None:
    described = json.loads((trained.out / "training.json").read_text())
    train_files, dev_files = described["train"], described["dev"]
    assert [file["mentions"].keys() for file in train_files] == [{"Chemical"}, {"Disease"}]
    assert train_files[0]["sha256"] == file_sha256(trained.home / "wardseven_chemicals.txt")
    assert dev_files[0]["documents"] == 20
    assert described["recipe"]["epochs"] == 12
    assert described["scores"]["Disease"]["gold"] == dev_files[0]["mentions"]["Disease"]
    everything = b"".join(path.read_bytes() for path in trained.out.glob("training.*"))
    assert b"wardseven" not in everything


def test_no_text_and_no_name_reaches_prefect_or_the_terminal(trained: Trained) -> None:
    database = trained.home / "prefect"
    stored = b"".join(path.read_bytes() for path in database.rglob("*") if path.is_file())
    assert b"charthouse-train" in stored
    for secret in ("zebrafinch", "wardseven", "908172630100000001"):
        assert secret.encode() not in stored
        assert secret not in trained.stderr + trained.stdout


@pytest.mark.slow
def test_the_same_command_again_has_nothing_to_do(trained: Trained) -> None:
    before = {path: path.stat().st_mtime_ns for path in trained.out.iterdir()}
    done = charthouse(trained.home, *trained.arguments, "--json", **ONE_THREAD)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["nothing_to_do"] and found["epochs"] == found["kept_epoch"] == 12
    assert [row["label"] for row in found["scores"]] == ["Chemical", "Disease", "all labels"]
    assert {path: path.stat().st_mtime_ns for path in trained.out.iterdir()} == before
    other = within(trained.home, *trained.arguments, "--seed", "7", **ONE_THREAD)
    assert other.returncode == 1
    assert other.stderr.startswith("charthouse: --out") and "is not empty" in other.stderr


@pytest.mark.slow
def test_a_dry_run_counts_and_writes_nothing(trained: Trained, tmp_path: Path) -> None:
    arguments = [*trained.arguments, "--dry-run", "--out", str(tmp_path / "model")]
    done = within(trained.home, *arguments, "--json", **ONE_THREAD)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["state"] == "new" and found["windows"] == 120
    assert found["steps"] == 12 * found["steps_per_epoch"]
    steps = re.search(r"training: ([\d,]+) steps", trained.stderr)
    assert steps and abs(int(steps[1].replace(",", "")) - found["steps"]) <= 12
    assert [row["documents"] for row in found["train"]] == [60, 60]
    told = within(trained.home, *arguments, **ONE_THREAD)
    assert "120 windows" in told.stdout and "this was a dry run" in told.stdout
    assert not list(tmp_path.iterdir())


def test_wrong_usage_is_exit_2(tmp_path: Path) -> None:
    files = ["--train", str(tmp_path / "a"), "--out", str(tmp_path / "m")]
    assert within(tmp_path, "train", "ner", *files).returncode == 2
    both = ["--dev", "b", "--dev-share", "0.1"]
    assert within(tmp_path, "train", "ner", *files, *both).returncode == 2


def test_help_names_the_recipes_defaults() -> None:
    parameters = inspect.signature(train.ner, eval_str=True).parameters
    for field in fields(Recipe):
        if field.name == "labels":
            continue
        (option,) = parameters[field.name].annotation.__metadata__
        default = field.default
        if isinstance(default, bool):
            default = field.name.replace("_", "-") if default else "no-" + field.name
        assert f"(default: {default})" in option.help, field.name


def started(trained: Trained, out: Path, *more: str) -> subprocess.Popen[str]:
    """The same training into another folder, under way in the background."""
    arguments = [*trained.arguments, "--out", str(out), *more]
    return subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(trained.home, **ONE_THREAD),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline, "it ended too early"
        time.sleep(0.005)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_stopped_and_run_again_gives_the_same_weights(
    trained: Trained, tmp_path: Path, how: signal.Signals
) -> None:
    out = tmp_path / "model"
    process = started(trained, out)
    wait_for(lambda: len(read_history(out / "training.tsv")) >= 3, process)
    os.kill(process.pid, how)
    _, errors = process.communicate(timeout=60)
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "run the same command again to go on" in errors
    rows = len(read_history(out / "training.tsv"))
    assert 3 <= rows < 12
    assert (tmp_path / "model.work" / "checkpoints").is_dir()
    with pytest.raises(ValueError, match=r"holds no config\.json"):
        find_model(str(out))

    if how == signal.SIGKILL:
        changed = within(trained.home, *trained.arguments, "--out", out, "--seed", "7")
        assert changed.returncode == 1
        assert "differs in seed" in changed.stderr

    done = charthouse(trained.home, *trained.arguments, "--out", out, **ONE_THREAD)
    assert done.returncode == 0, done.stderr
    assert "Going on from the last checkpoint" in done.stderr
    for name in ("model.safetensors", "decoder.json", "training.json", "training.tsv"):
        assert (out / name).read_bytes() == (trained.out / name).read_bytes(), name
    assert not (tmp_path / "model.work").exists()


@pytest.mark.slow
def test_patience_keeps_the_best_epoch_and_overwrite_begins_anew(
    trained: Trained, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    out.mkdir()
    (out / "training.tsv").write_text("of a former model")
    arguments = [*trained.arguments, "--out", str(out), "--patience", "2", "--epochs", "60"]
    done = charthouse(trained.home, *arguments, "--overwrite", "--json", **ONE_THREAD)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    history = read_history(out / "training.tsv")
    assert len(history) == found["epochs"] < 60
    assert found["kept_epoch"] == len(history) - 2
    assert found["scores"][-1]["f1"] == round(history[found["kept_epoch"] - 1].scores["f1"], 4)
