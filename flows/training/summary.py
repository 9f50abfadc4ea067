"""What a training came to, for people and for machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.training.history import Epoch, best_epoch
from nlp.ner.score import SpanScore

MICRO = "all labels"


@dataclass(frozen=True)
class TrainingSummary:
    """The model's folder, its strict span scores on dev by label, and the epochs gone through.

    ``nothing_to_do``: the model was there already.
    """

    out: Path
    scores: Mapping[str, SpanScore]
    history: tuple[Epoch, ...]
    keeps_best: bool
    nothing_to_do: bool = False

    @property
    def kept_epoch(self) -> int | None:
        """The epoch whose weights are in the model; ``None`` where no history is left."""
        if not self.history:
            return None
        best = best_epoch(list(self.history)) if self.keeps_best else None
        return (best or self.history[-1]).epoch

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "out": str(self.out),
            "nothing_to_do": self.nothing_to_do,
            "epochs": len(self.history),
            "kept_epoch": self.kept_epoch,
            "scores": score_rows(self.scores),
        }


def score_rows(scores: Mapping[str, SpanScore]) -> list[dict[str, Any]]:
    """A row a label, and one for all of them together."""
    rows = [*scores.items(), (MICRO, SpanScore.total(scores.values()))]
    return [
        {
            "label": label,
            "gold": score.gold,
            "found": score.found,
            "precision": round(score.precision, 4),
            "recall": round(score.recall, 4),
            "f1": round(score.f1, 4),
        }
        for label, score in rows
    ]


def print_summary(console: Console, summary: TrainingSummary) -> None:
    """The table of scores, and how to use the model."""
    if summary.nothing_to_do:
        console.print("This model was trained before: nothing was left to do.")
    table = Table(
        title="Dev scores, strict spans", title_justify="left", box=None, header_style="dim"
    )
    table.add_column("label")
    for heading in ("gold", "found", "precision", "recall", "F1"):
        table.add_column(heading, justify="right")
    for row in score_rows(summary.scores):
        shares = (f"{100 * row[name]:.1f}" for name in ("precision", "recall", "f1"))
        table.add_row(escape(row["label"]), f"{row['gold']:,}", f"{row['found']:,}", *shares)
    console.print(table)
    if summary.kept_epoch is not None:
        console.print(
            f"{len(summary.history)} epochs; the weights are those of epoch {summary.kept_epoch}."
        )
    for what in (
        f"Model: {summary.out}",
        f"Use it: charthouse run SOURCE --warehouse W.duckdb --model {summary.out}",
    ):
        console.print(what, markup=False, highlight=False, soft_wrap=True)
