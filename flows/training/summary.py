"""What a training came to, for people and for machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.training.history import Epoch, best_epoch
from flows.training.order import Scores, TrainingOrder


@dataclass(frozen=True)
class TrainingSummary:
    """What was ordered, the result's scores on dev, and the epochs gone through.

    ``nothing_to_do``: the model was there already.
    """

    order: TrainingOrder
    scores: Scores
    history: tuple[Epoch, ...]
    nothing_to_do: bool = False

    @property
    def kept_epoch(self) -> int | None:
        """The epoch whose weights are in the model; ``None`` where no history is left."""
        if not self.history:
            return None
        best = best_epoch(self.history, self.order.measure) if self.order.keeps_best else None
        return (best or self.history[-1]).epoch

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "out": str(self.order.out),
            "nothing_to_do": self.nothing_to_do,
            "epochs": len(self.history),
            "kept_epoch": self.kept_epoch,
            "scores": self.order.score_rows(self.scores),
        }


def print_summary(console: Console, summary: TrainingSummary) -> None:
    """The table of scores, and how to use the model."""
    if summary.nothing_to_do:
        console.print("This model was trained before: nothing was left to do.")
    order = summary.order
    table = Table(title=order.scores_title, title_justify="left", box=None, header_style="dim")
    rows = order.score_rows(summary.scores)
    for name, value in rows[0].items():
        heading = "F1" if name == "f1" else name.replace("_", " ")
        table.add_column(heading, justify="left" if isinstance(value, str) else "right")
    for row in rows:
        table.add_row(*(_cell(name, value) for name, value in row.items()))
    console.print(table)
    if summary.kept_epoch is not None:
        console.print(
            f"{len(summary.history)} epochs; the weights are those of epoch {summary.kept_epoch}."
        )
    for what in (f"Model: {order.out}", f"Use it: {order.usage}"):
        console.print(what, markup=False, highlight=False, soft_wrap=True)


_NO_SHARES = frozenset({"loss", "perplexity"})


def _cell(name: str, value: str | float) -> str:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3f}" if name in _NO_SHARES else f"{100 * value:.1f}"
