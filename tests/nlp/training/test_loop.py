"""Our own loop on a line through points: killed at any step, it ends with the same weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nlp.ner.device import Device
from nlp.ner.errors import TrainingError
from nlp.ner.score import SpanScore
from nlp.training.checkpoint import STATE_FILE
from nlp.training.loop import Lesson, shuffled_batches, teach
from nlp.training.progress import Progress
from nlp.training.recipe import LoopRecipe

CPU = Device("cpu", torch.float32, 100)
RECIPE = LoopRecipe(batch_tokens=3, encoder_rate=0.1, head_rate=0.1, average=0.5, epochs=4)
POINTS = torch.linspace(-1, 1, 8)[:, None]
AGREED = (5, 9, 1, 2, 3, 4)
"""Agreed of 10 by epoch: the second is the best."""


@dataclass
class Outcome:
    """The weights in the end; the reports, and the weights there were at each."""

    weights: torch.Tensor
    reports: list[Progress]
    passed: list[torch.Tensor]


def _taught(
    recipe: LoopRecipe = RECIPE,
    folder: Path | None = None,
    *,
    identity: str = "line",
    report: Callable[[Progress], None] = lambda progress: None,
) -> Outcome:
    torch.manual_seed(1)
    line = torch.nn.Linear(1, 1)
    reports: list[Progress] = []
    passed: list[torch.Tensor] = []
    under_way = 0

    def loss(epoch: int, numbers: list[int]) -> tuple[torch.Tensor, int]:
        nonlocal under_way
        under_way = epoch
        noise = torch.randn(len(numbers), 1)  # stands for dropout
        points = POINTS[numbers]
        return ((line(points) - 3 * points + noise) ** 2).mean(), len(numbers)

    def told(progress: Progress) -> None:
        reports.append(progress)
        passed.append(_weights(line))
        report(progress)

    lesson = Lesson(
        module=line,
        network=line,
        rate=lambda name: recipe.head_rate,
        sizes=[1] * len(POINTS),
        unit="points",
        loss=loss,
        score=lambda: SpanScore(10, 10, AGREED[under_way - 1]),
    )
    teach(
        lesson,
        recipe,
        CPU,
        checkpoints=folder,
        checkpoint_steps=1,
        identity=identity,
        report=told,
    )
    return Outcome(_weights(line), reports, passed)


def _weights(line: torch.nn.Linear) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in line.parameters()])


class _Killed(Exception):
    pass


def test_a_kill_at_any_step_changes_nothing(tmp_path: Path) -> None:
    recipe = replace(RECIPE, patience=2)
    whole = _taught(recipe)
    for kill in range(1, len(whole.reports) + 1):
        folder = tmp_path / str(kill)
        seen = 0

        def stop(progress: Progress, kill: int = kill) -> None:
            nonlocal seen
            seen += 1
            if seen == kill:
                raise _Killed

        with pytest.raises(_Killed):
            _taught(recipe, folder, report=stop)
        again = _taught(recipe, folder)
        assert torch.equal(again.weights, whole.weights)
        assert again.reports == whole.reports[kill - 1 :]


def test_patience_keeps_the_best_epoch() -> None:
    found = _taught(replace(RECIPE, epochs=6, patience=3, average=0.0))
    ends = [n for n, report in enumerate(found.reports) if report.scores]
    f1 = [(found.reports[n].scores or {})["f1"] for n in ends]
    assert f1 == [0.5, 0.9, 0.1, 0.2, 0.3]  # no better one in three: the sixth is not begun
    assert torch.equal(found.weights, found.passed[ends[1]])
    assert not torch.equal(found.weights, found.passed[-1])


def test_a_training_that_is_over_is_not_gone_on_with(tmp_path: Path) -> None:
    whole = _taught(folder=tmp_path)
    again = _taught(folder=tmp_path)
    assert again.reports == []
    assert torch.equal(again.weights, whole.weights)


def test_checkpoints_that_are_damaged_or_another_s_are_refused(tmp_path: Path) -> None:
    _taught(folder=tmp_path)
    with pytest.raises(TrainingError, match="another training"):
        _taught(folder=tmp_path, identity="another line")
    state = tmp_path / STATE_FILE
    state.write_bytes(state.read_bytes()[:-100])
    with pytest.raises(TrainingError, match="cannot be read"):
        _taught(folder=tmp_path)


@given(st.lists(st.integers(1, 50), min_size=1), st.integers(1, 60), st.integers(1, 3))
def test_an_epoch_has_every_example_once(sizes: list[int], most: int, epoch: int) -> None:
    batches = shuffled_batches(sizes, replace(RECIPE, batch_tokens=most), epoch)
    assert sorted(number for batch in batches for number in batch) == list(range(len(sizes)))
    for batch in batches:
        assert len(batch) == 1 or sum(sizes[number] for number in batch) <= most
