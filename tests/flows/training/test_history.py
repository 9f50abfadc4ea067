"""Rows of epochs survive, and the picture of them is one that any browser shows."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from lxml import etree

from flows.training.history import Epoch, Measure, add_epoch, best_epoch, read_history
from flows.training.plot import _ticks, training_svg

F1 = Measure("f1", "dev F1")


def row(epoch: int, loss: float, precision: float, recall: float, f1: float) -> Epoch:
    return Epoch(epoch, loss, {"precision": precision, "recall": recall, "f1": f1})


ROWS = [row(1, 1.5, 0.25, 0.5, 0.333333), row(2, 0.75, 0.5, 0.5, 0.5), row(3, 0.5, 0.5, 0.5, 0.5)]


def test_rows_come_back_as_they_were_added(tmp_path: Path) -> None:
    path = tmp_path / "training.tsv"
    for count, epoch in enumerate(ROWS, start=1):
        assert add_epoch(path, epoch) == ROWS[:count] == read_history(path)
    assert path.read_text().splitlines()[0].split("\t") == [
        *("epoch", "loss", "precision", "recall", "f1")
    ]


def test_an_epoch_gone_through_twice_has_one_row(tmp_path: Path) -> None:
    path = tmp_path / "training.tsv"
    for epoch in (*ROWS, ROWS[1]):
        history = add_epoch(path, epoch)
    assert history == ROWS[:2] == read_history(path)


@pytest.mark.parametrize("content", ["", "other\ttable\n1\t2\n", "epoch\tloss\n1\n", None])
def test_what_is_no_history_is_none(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "training.tsv"
    if content is not None:
        path.write_text(content)
    assert read_history(path) == []


def test_of_equal_epochs_the_first_is_best() -> None:
    assert best_epoch(ROWS, F1) == ROWS[1]
    assert best_epoch([], F1) is None


def test_the_better_end_may_be_the_lower_one() -> None:
    rows = [Epoch(n, 0.0, {"perplexity": p}) for n, p in ((1, 9.0), (2, 7.5), (3, 8.0))]
    assert best_epoch(rows, Measure("perplexity", "", lower_is_better=True)) == rows[1]


@pytest.mark.parametrize(
    ("history", "epochs"),
    [
        (ROWS, 3),
        (ROWS[:1], 1),
        (ROWS[:1], 40),
        ([row(1, 0.0, 0.0, 0.0, 0.0)], 2),
        ([row(1, math.nan, 0.0, 0.0, 0.0)], 2),
        ([row(1, 1e6, 0.9, 0.9, 0.90001), row(2, 1e-6, 0.9, 0.9, 0.90002)], 2),
    ],
)
def test_picture(history: list[Epoch], epochs: int) -> None:
    root = etree.fromstring(training_svg(history, epochs, F1, "loss a word"))
    width, height = float(root.get("width", "")), float(root.get("height", ""))
    circles = root.findall("{*}circle")
    assert len(circles) == sum(
        math.isfinite(e.loss) + math.isfinite(e.scores["f1"]) for e in history
    )
    for circle in circles:
        assert 0 < float(circle.get("cx", "")) < width
        assert 0 < float(circle.get("cy", "")) < height
    assert "http" not in "".join(root.itertext())
    assert not root.findall(".//{*}image")


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.0, 0.0), (0.81, 0.83), (3.0, 3.0), (0, 1e-7), (-2.0, 5.0)]
)
def test_ticks_hold_what_is_shown(low: float, high: float) -> None:
    ticks = _ticks(low, high)
    assert 2 <= len(ticks) <= 6
    assert ticks[0] <= low + 1e-12 and high - 1e-12 <= ticks[-1]
