"""The course of a training: one row an epoch, kept whatever happens."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from pathlib import Path

from flows.work import write_durably


@dataclass(frozen=True)
class Epoch:
    """One epoch: its mean loss a word, and the strict micro scores on dev after it, 0 to 1."""

    epoch: int
    loss: float
    precision: float
    recall: float
    f1: float


_HEADING = "\t".join(field.name for field in fields(Epoch))


def read_history(path: Path) -> list[Epoch]:
    """The epochs that a file holds; none where there is no file or it is no history."""
    try:
        heading, *rows = path.read_text("utf-8").splitlines()
        if heading != _HEADING:
            return []
        return [Epoch(int(n), *map(float, rest)) for n, *rest in (r.split("\t") for r in rows)]
    except (OSError, ValueError, TypeError):
        return []


def add_epoch(path: Path, epoch: Epoch) -> list[Epoch]:
    """Write an epoch's row durably; returns all rows.

    A killed training may go through an epoch twice: what stood there of it and after it goes.
    """
    history = [*(e for e in read_history(path) if e.epoch < epoch.epoch), epoch]
    rows = ["\t".join(_cell(value) for value in astuple(e)) for e in history]
    content = "\n".join([_HEADING, *rows]) + "\n"
    write_durably(path, lambda temporary: _write(temporary, content), private=False)
    return history


def best_epoch(history: list[Epoch]) -> Epoch | None:
    """The first epoch with the highest F1."""
    return max(history, key=lambda e: (e.f1, -e.epoch), default=None)


def _cell(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6f}"


def _write(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
