"""``charthouse train qa``: what is refused and counted at the door, and a killed training."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from flows.errors import SourceError
from flows.training.history import read_history
from flows.training.qa import QaOrder, prepare_qa
from flows.training.qa_preview import preview_qa
from tests.flows.runs import COMMAND, charthouse, environment
from tests.language_models import make_gpt2

ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base and 20 made-up questions of PubMedQA's form, of which every fourth is a no."""
    folder = tmp_path_factory.mktemp("qa")
    make_gpt2(folder / "base")
    entries = {
        str(900 + n): {
            "QUESTION": f"Does aspirin number {n} help?",
            "CONTEXTS": ["zebrafinch " * 9],
            "LABELS": ["RESULTS"],
            "LONG_ANSWER": "It did not." if n % 4 == 0 else "It did.",
            "final_decision": "no" if n % 4 == 0 else "yes",
        }
        for n in range(20)
    }
    (folder / "pubmedqa.json").write_text(json.dumps(entries))
    return folder


def prepared(home: Path, out: Path, task: str | None = None, **recipe: object) -> QaOrder:
    return prepare_qa(
        home / "pubmedqa.json", None, 0.2, str(home / "base"), recipe, out, "cpu", task
    )


def test_questions_of_another_task_are_refused(home: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="of the task yes_no_maybe, not multiple_choice"):
        prepared(home, tmp_path / "model", "multiple_choice")
    order = prepared(home, tmp_path / "model", "yes_no_maybe")
    assert order.parts == prepared(home, tmp_path / "model").parts
    assert "--task yes_no_maybe" in order.usage


@pytest.mark.parametrize(
    ("explanations", "examples", "cut"), [("none", 16, 16), ("also", 32, 16), ("instead", 16, 0)]
)
def test_a_preview_counts_and_writes_nothing(
    home: Path, tmp_path: Path, explanations: str, examples: int, cut: int
) -> None:
    order = prepared(
        home,
        tmp_path / "model",
        explanations=explanations,
        max_tokens=60,
        epochs=3,
        batch_questions=5,
        accumulation=2,
    )
    found = preview_qa(order, overwrite=False).as_dict()
    assert (found["examples"], found["dev_questions"], found["cut"]) == (examples, 4, cut)
    assert found["steps_per_epoch"] == {16: 2, 32: 4}[examples]
    assert found["steps"] == 3 * found["steps_per_epoch"]
    noes = sum(question.answer == 1 for question in order.dev)
    assert found["dev_majority"] == max(noes, 4 - noes) and found["state"] == "new"
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_and_run_again_gives_the_same_weights(home: Path, tmp_path: Path) -> None:
    arguments = [
        *("train", "qa", "--train", str(home / "pubmedqa.json"), "--dev-share", "0.2"),
        *("--base", str(home / "base"), "--epochs", "12", "--batch-questions", "4"),
    ]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    done = charthouse(home, *arguments, "--out", whole, **ONE_THREAD)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr and "zebrafinch" not in done.stderr + done.stdout
    process = subprocess.Popen(
        [*COMMAND, *arguments, "--out", str(killed)],
        env=environment(home, **ONE_THREAD),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 240
    while len(read_history(killed / "training.tsv")) < 3:
        assert process.poll() is None and time.monotonic() < deadline, "it ended too early"
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    assert len(read_history(killed / "training.tsv")) < 12
    assert not (killed / "config.json").exists()
    done = charthouse(home, *arguments, "--out", killed, **ONE_THREAD)
    assert done.returncode == 0, done.stderr
    assert "Going on from the last checkpoint" in done.stderr
    for name in ("model.safetensors", "qa.json", "training.json"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes(), name
    again = charthouse(home, *arguments, "--out", killed, "--json", **ONE_THREAD)
    assert json.loads(again.stdout)["nothing_to_do"]
    judged = charthouse(
        *(home, "evaluate", "qa", home / "pubmedqa.json", "--task", "yes_no_maybe"),
        *("--model", killed),
        **ONE_THREAD,
    )
    assert judged.returncode == 0, judged.stderr
