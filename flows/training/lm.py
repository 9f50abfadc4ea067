"""The order of a training of a causal language model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from flows.errors import CharthouseError
from flows.training.history import Measure
from flows.training.lessons import fingerprint, set_apart
from flows.training.order import (
    CANNOT_TRAIN,
    Scores,
    TrainingOrder,
    check_base,
    check_package,
    check_place,
)
from flows.training.output import check_state
from nlp.generation.source import check_causal, find_text_model, text_model_fingerprint
from nlp.generation.training.lesson import Lesson
from nlp.ner.errors import ModelError
from nlp.training.progress import Report

if TYPE_CHECKING:
    from nlp.generation.training.recipe import LmRecipe


@dataclass(frozen=True)
class LmOrder(TrainingOrder):
    """Everything a training needs, checked: the base is there, the texts are read."""

    recipe: LmRecipe
    train: tuple[Lesson, ...]
    dev: tuple[Lesson, ...]
    left_out: int

    kind: ClassVar[str] = "lm"
    measure: ClassVar[Measure] = Measure("perplexity", "dev perplexity", lower_is_better=True)
    shown: ClassVar[Mapping[str, str]] = {"dev_loss": "dev loss", "perplexity": "perplexity"}
    loss_title: ClassVar[str] = "loss a token"
    scores_title: ClassVar[str] = "Dev texts"
    model_files: ClassVar[tuple[str, ...]] = ("adapter_config.json", "chat_template.jinja")
    when_diverged: ClassVar[str] = "Lower --rate, and add --overwrite to begin anew"
    when_too_large: ClassVar[str] = (
        "Lower --batch-tokens or --max-tokens, or add --gradient-checkpointing or --lora, and "
        "--overwrite"
    )

    @property
    def examples(self) -> dict[str, str]:
        """Fingerprints of train and dev."""
        return {
            "train texts": fingerprint(self.train),
            "dev texts": fingerprint(self.dev),
        }

    @property
    def notes(self) -> list[str]:
        """How many train texts are left out."""
        if not self.left_out:
            return []
        return [f"{self.left_out:,} train texts stand in the dev texts too: left out"]

    @property
    def usage(self) -> str:
        """A task of the model."""
        return f"charthouse generate summarize --warehouse FILE --model {self.out}"

    def describe(self) -> dict[str, Any]:
        """What training.json says beside the recipe."""
        return {
            **super().describe(),
            "train": counts(self.train),
            "dev": counts(self.dev),
        }

    def fit(self, made: Path, checkpoints: Path, report: Report) -> Scores:
        """Fine-tune; scores are those of the dev texts."""
        from nlp.generation.training import train

        return train(
            self.base,
            self.train,
            self.dev,
            made,
            self.recipe,
            checkpoints=checkpoints,
            device=self.device,
            report=report,
            describe=self.describe(),
        )

    def score_rows(self, scores: Scores) -> list[dict[str, Any]]:
        """One row."""
        return [{name: round(x, 4) if isinstance(x, float) else x for name, x in scores.items()}]


def counts(lessons: Sequence[Lesson]) -> dict[str, int]:
    """How many texts there are, and how many prompts with a completion."""
    pairs = sum(lesson.prompt is not None for lesson in lessons)
    return {"texts": len(lessons) - pairs, "completions": pairs}


def prepare_lm(
    train: Sequence[Lesson],
    dev: Sequence[Lesson] | None,
    dev_share: float,
    base: str,
    recipe: Mapping[str, Any],
    out: Path,
    device: str,
) -> LmOrder:
    """Check everything at the door; texts of dev are left out of train.

    Args:
        train: to learn from.
        dev: to judge by; None sets ``dev_share`` of train apart.
        dev_share: from 0 to 1.
        base: a folder or ``hub:owner/name@revision``.
        recipe: fields of :class:`~nlp.generation.training.recipe.LmRecipe`.
        out: folder of the model to make.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        CharthouseError: something is missing or unusable; nothing has been written.
    """
    out = check_place(out)
    check_package("accelerate", "training needs", "")
    if recipe.get("lora_rank"):
        check_package("peft", "low-rank adapters need", ", or leave --lora out")
    try:
        source = find_text_model(base)
        parts = check_causal(source)
        base_fingerprint = text_model_fingerprint(source)
    except ModelError as error:
        raise CharthouseError(str(error)) from None
    if parts.adapter and recipe.get("adapter_only"):
        raise CharthouseError(
            f"--base {base} is an adapter itself, and adapters of adapters cannot be loaded",
            "Leave --adapter-only out",
        )
    check_base(source.folder, out)
    judged = list(dev) if dev is not None else set_apart(train, dev_share)
    apart = set(judged)
    learnt = [lesson for lesson in train if lesson not in apart]
    if not learnt:
        raise CharthouseError(
            "no text is left to learn from", "Name another --dev, or give more texts than one"
        )
    left_out = len(train) - len(learnt) if dev is not None else 0
    from nlp.generation.training.recipe import LmRecipe  # takes seconds: torch

    return LmOrder(
        out,
        device,
        source,
        base_fingerprint,
        LmRecipe(**recipe),
        tuple(learnt),
        tuple(judged),
        left_out,
    )


def preview_lm(order: LmOrder, *, overwrite: bool) -> dict[str, Any]:
    """What a training would go through; writes nothing.

    Raises:
        CharthouseError: the output folder is not free, or base or texts cannot be used.
    """
    from nlp.generation.training import preview

    state = check_state(order, overwrite=overwrite)
    try:
        found = preview(order.base, order.train, order.dev, order.recipe)
    except CANNOT_TRAIN as error:
        raise CharthouseError(str(error)) from None
    memory = found.memory
    return {
        "out": str(order.out),
        "state": state,
        "base": order.base.name,
        "train": counts(order.train),
        "dev": counts(order.dev),
        "left_out": order.left_out,
        "rows": found.rows[0],
        "tokens": found.learnt,
        "steps_per_epoch": found.steps_per_epoch,
        "steps": order.recipe.epochs * found.steps_per_epoch,
        "parameters": memory.parameters,
        "trained_parameters": memory.trained,
        "gpu_bytes": memory.total,
    }
