"""The order of a training of a NER model, from gold files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from flows.devices import check_device
from flows.errors import CharthouseError
from flows.training.corpora import Corpus, DataRequest, TrainingData, read_data
from flows.training.history import Measure
from flows.training.order import Scores, TrainingOrder, check_base, check_package, check_place
from nlp.ner.errors import ModelError
from nlp.ner.score import SpanScore
from nlp.ner.source import find_model, model_fingerprint
from nlp.training.progress import Report

if TYPE_CHECKING:
    from nlp.ner.training import GoldText, Recipe

MICRO = "all labels"


@dataclass(frozen=True)
class NerOrder(TrainingOrder):
    """Everything a training needs, checked: the base is there, the gold files are read."""

    recipe: Recipe
    data: TrainingData

    kind: ClassVar[str] = "ner"
    measure: ClassVar[Measure] = Measure("f1", "dev F1, strict")
    shown: ClassVar[Mapping[str, str]] = {
        "precision": "dev precision",
        "recall": "recall",
        "f1": "F1",
    }
    loss_title: ClassVar[str] = "loss a word"
    scores_title: ClassVar[str] = "Dev scores, strict spans"
    model_files: ClassVar[tuple[str, ...]] = ("decoder.json",)
    when_diverged: ClassVar[str] = (
        "Lower --encoder-rate and --head-rate, and add --overwrite to begin anew"
    )
    when_too_large: ClassVar[str] = "Lower --batch-tokens and add --overwrite"

    @property
    def examples(self) -> dict[str, str]:
        """Fingerprints of train and dev."""
        return {
            "train texts": _fingerprint(self.data.train),
            "dev texts": _fingerprint(self.data.dev),
        }

    @property
    def notes(self) -> list[str]:
        """How many train texts are left out."""
        if not self.data.left_out:
            return []
        return [f"{self.data.left_out:,} train texts stand in the dev files too and are left out"]

    @property
    def usage(self) -> str:
        """A run with the model."""
        return f"charthouse run SOURCE --warehouse W.duckdb --model {self.out}"

    def describe(self) -> dict[str, Any]:
        """What training.json says beside the recipe; names of files may tell of people: none."""
        return {
            **super().describe(),
            "train": [_described(corpus) for corpus in self.data.train],
            "dev": [_described(corpus) for corpus in self.data.dev],
            "left_out": self.data.left_out,
        }

    def fit(self, made: Path, checkpoints: Path, report: Report) -> Scores:
        """Fine-tune a token classifier; scores are counts of mentions by label."""
        from nlp.ner.training import train

        scores = train(
            self.base.folder,
            gold_texts(self.data.train),
            gold_texts(self.data.dev),
            made,
            self.recipe,
            checkpoints=checkpoints,
            device=self.device,
            report=report,
            describe=self.describe(),
        )
        return {
            label: {"gold": s.gold, "found": s.found, "agreed": s.agreed}
            for label, s in scores.items()
        }

    def score_rows(self, scores: Scores) -> list[dict[str, Any]]:
        """A row a label, and one for all of them together."""
        counted = {label: SpanScore(**counts) for label, counts in scores.items()}
        rows = [*counted.items(), (MICRO, SpanScore.total(counted.values()))]
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


def prepare_order(
    data: DataRequest, base: str, recipe: Mapping[str, Any], out: Path, device: str
) -> NerOrder:
    """Check everything at the door.

    Args:
        data: the gold files and how they are read.
        base: ``bundled``, a folder, or ``hub:owner/name@revision``.
        recipe: the fields of :class:`nlp.ner.training.Recipe` that differ from their defaults.
        out: folder for the model.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        CharthouseError: something is missing or unusable; nothing has been written.
    """
    out = check_place(out)
    if recipe.get("lora_rank"):
        check_package("peft", "low-rank adapters need", ", or leave --lora-rank out")
    try:
        source = find_model(base)
        fingerprint = model_fingerprint(source)
        check_base(source.folder, out)
        read = read_data(data)
        check_device(device)
    except ModelError as error:
        raise CharthouseError(str(error)) from None
    from nlp.ner.training import Recipe  # takes seconds: torch

    made = Recipe(**{**recipe, "labels": read.labels})
    return NerOrder(out, device, source, fingerprint, made, read)


def gold_texts(corpora: tuple[Corpus, ...]) -> list[GoldText]:
    """All texts of the corpora as the trainer takes them."""
    from nlp.ner.training import GoldText

    return [
        GoldText(text.text, text.mentions, corpus.annotated)
        for corpus in corpora
        for text in corpus.texts
    ]


def _fingerprint(corpora: tuple[Corpus, ...]) -> str:
    digest = hashlib.sha256()
    for corpus in corpora:
        for text in corpus.texts:
            row = repr((text.text, text.mentions, sorted(corpus.annotated)))
            digest.update(row.encode("utf-8", "backslashreplace"))
    return digest.hexdigest()


def _described(corpus: Corpus) -> dict[str, Any]:
    return {
        "sha256": corpus.sha256,
        "documents": len(corpus.texts),
        "mentions": corpus.mentions(),
    }
