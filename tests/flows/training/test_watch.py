"""What is told while a training runs, and when it is stopped."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flows.errors import CharthouseError
from flows.processes import STOP, Interrupted, stoppable
from flows.progress import Reporter
from flows.training import watch
from flows.training.history import Epoch, read_history
from flows.training.ner import NerOrder
from flows.training.output import HISTORY, PLOT
from flows.training.watch import Watch
from nlp.training.progress import Progress

SCORES = {"precision": 0.5, "recall": 1.0, "f1": 0.667}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Progress that Prefect was told."""
    progress: list[float] = []

    def take(progress_: float) -> None:
        progress.append(progress_)

    monkeypatch.setattr(watch, "create_progress_artifact", lambda progress, **_: take(progress))
    return progress


def watching(tmp_path: Path, reporter: Reporter) -> Watch:
    order: Any = SimpleNamespace(
        out=tmp_path / "model",
        measure=NerOrder.measure,
        shown=NerOrder.shown,
        loss_title=NerOrder.loss_title,
        when_diverged=NerOrder.when_diverged,
    )
    session: Any = SimpleNamespace(order=order, reporter=reporter)
    return Watch(session)


@pytest.fixture
def reporter(tmp_path: Path) -> Reporter:
    return Reporter("run", tmp_path / "status.json")


def test_steps_go_to_the_terminal_and_epochs_to_the_files_too(
    tmp_path: Path, reporter: Reporter, told: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    watch = watching(tmp_path, reporter)
    with reporter:
        for step in (3, 4):  # it goes on from the second step
            watch.report(Progress(1, 2, step, 4, 0.5))
        watch.report(Progress(1, 2, 4, 4, 0.25, SCORES))
        watch.end()
    (epoch,) = read_history(tmp_path / "model" / HISTORY)
    assert epoch == Epoch(1, 0.25, SCORES)
    assert (tmp_path / "model" / PLOT).read_text().startswith("<svg")
    errors = capsys.readouterr().err
    assert "epoch 1 of 2: loss 0.2500, dev precision 0.500, recall 1.000, F1 0.667" in errors
    assert told[0] == pytest.approx(100 * 3 / 8) and told[-1] == 100


def test_prefects_trouble_is_no_trouble(
    tmp_path: Path,
    reporter: Reporter,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(**_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(watch, "create_progress_artifact", fail)
    watching(tmp_path, reporter).report(Progress(1, 2, 1, 4, 0.5))
    assert "Prefect did not take the progress (ConnectionError)" in capsys.readouterr().err


def test_a_loss_that_is_no_number_ends_it(
    tmp_path: Path, reporter: Reporter, told: list[float]
) -> None:
    with pytest.raises(CharthouseError, match="Lower --encoder-rate"):
        watching(tmp_path, reporter).report(Progress(1, 2, 1, 4, math.nan))


def test_a_stop_ends_it_after_the_step(
    tmp_path: Path, reporter: Reporter, told: list[float]
) -> None:
    with stoppable():
        watch = watching(tmp_path, reporter)
        watch.report(Progress(1, 2, 1, 4, 0.5))
        STOP.ask()
        with pytest.raises(Interrupted):
            watch.report(Progress(1, 2, 4, 4, 0.25, SCORES))
    assert read_history(tmp_path / "model" / HISTORY)
