"""The course of a training: one row an epoch, kept whatever happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flows.work import write_durably


@dataclass(frozen=True)
class Measure:
    """The score that epochs are compared by: its column, its title, which end is the better."""

    name: str
    title: str
    lower_is_better: bool = False


@dataclass(frozen=True)
class Epoch:
    """One epoch: its mean loss, and the scores on dev after it by measure."""

    epoch: int
    loss: float
    scores: Mapping[str, float] = field(default_factory=dict)


_FIRST = ("epoch", "loss")


def read_history(path: Path) -> list[Epoch]:
    """The epochs that a file holds; none where there is no file or it is no history."""
    try:
        heading, *rows = (line.split("\t") for line in path.read_text("utf-8").splitlines())
        if tuple(heading[:2]) != _FIRST:
            return []
        return [
            Epoch(int(n), float(loss), dict(zip(heading[2:], map(float, rest), strict=True)))
            for n, loss, *rest in rows
        ]
    except (OSError, ValueError):
        return []


def add_epoch(path: Path, epoch: Epoch) -> list[Epoch]:
    """Write an epoch's row durably; returns all rows.

    A killed training may go through an epoch twice: what stood there of it and after it goes.
    """
    before = (e for e in read_history(path) if e.scores.keys() == epoch.scores.keys())
    history = [*(e for e in before if e.epoch < epoch.epoch), epoch]
    lines = ["\t".join([*_FIRST, *epoch.scores])]
    for e in history:
        values = (e.loss, *(e.scores[name] for name in epoch.scores))
        lines.append("\t".join([str(e.epoch), *(f"{value:.6f}" for value in values)]))
    content = "\n".join(lines) + "\n"
    write_durably(path, lambda temporary: _write(temporary, content), private=False)
    return history


def best_epoch(history: Sequence[Epoch], measure: Measure) -> Epoch | None:
    """The first epoch with the best score."""
    sign = -1 if measure.lower_is_better else 1
    return max(history, key=lambda e: (sign * e.scores[measure.name], -e.epoch), default=None)


def _write(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
