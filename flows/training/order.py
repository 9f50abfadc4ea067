"""The order of a training: what it was told to do, checked, and kept while it is under way."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from flows import __version__
from flows.errors import CharthouseError
from flows.training.history import Measure
from flows.work import WorkFolder, write_json
from nlp.generation.errors import GenerationError
from nlp.ner.errors import DeviceError, ModelError, TrainingError
from nlp.ner.source import ModelSource
from nlp.qa.errors import QuestionError
from nlp.training.progress import Report

CANNOT_TRAIN = (TrainingError, ModelError, DeviceError, GenerationError, QuestionError)
"""Errors whose words say what is wrong and what to do, and never hold text."""

Scores = Mapping[str, Any]
"""What a training's result scored on dev, as training.json keeps it: plain JSON, no text."""


@dataclass(frozen=True)
class TrainingOrder(ABC):
    """Everything a training needs, checked. Each kind of training is a subclass.

    Attributes:
        out: folder for the model.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; no part of the identity.
        base: what the training starts from.
        base_fingerprint: of its files.
        recipe: a dataclass of plain values, ``patience`` among them: without it the last epoch's
            weights are kept.
        kind: ends the name of the Prefect task, as in ``train-ner``.
        measure: the score of an epoch that is drawn, and that patience goes by.
        shown: scores told after each epoch, as heading by name.
        loss_title: what the loss is counted by.
        scores_title: of the table of scores in the end.
        model_files: patterns of files that a former model may have left, beside those of any
            model.
        when_diverged: what to do where the loss is no number any more.
        when_too_large: what to do where a step does not fit into the memory of the GPU.
    """

    out: Path
    device: str
    base: ModelSource
    base_fingerprint: str
    recipe: Any

    kind: ClassVar[str]
    measure: ClassVar[Measure]
    shown: ClassVar[Mapping[str, str]]
    loss_title: ClassVar[str]
    scores_title: ClassVar[str]
    model_files: ClassVar[tuple[str, ...]] = ()
    when_diverged: ClassVar[str]
    when_too_large: ClassVar[str]

    @property
    def work(self) -> WorkFolder:
        """The folder beside ``out`` that holds order and checkpoints until the model is there."""
        return WorkFolder.beside(self.out)

    @property
    def identity(self) -> str:
        """Fingerprint of the parts: the same training has the same."""
        return hashlib.sha256(json.dumps(self.parts, sort_keys=True).encode()).hexdigest()

    @property
    def parts(self) -> dict[str, Any]:
        """What decides the weights, by name, as JSON: fingerprints of base and examples, recipe.

        Names are told to the user where two orders differ in them.
        """
        recipe: dict[str, Any] = json.loads(json.dumps(asdict(self.recipe)))
        return {"base": self.base_fingerprint, **self.examples, **recipe}

    @property
    @abstractmethod
    def examples(self) -> dict[str, str]:
        """Fingerprints of what is learnt from and judged by, by name."""

    @property
    def keeps_best(self) -> bool:
        """Whether the best epoch's weights are kept, rather than the last ones."""
        return bool(self.recipe.patience)

    def describe(self) -> dict[str, Any]:
        """What training.json says beside the recipe; names of files may tell of people: none."""
        return {
            "charthouse": __version__,
            "identity": self.identity,
            "base": {"name": self.base.name, "fingerprint": self.base_fingerprint},
        }

    @property
    @abstractmethod
    def notes(self) -> list[str]:
        """What is to be said before the training begins; no text and no names of files."""

    @property
    @abstractmethod
    def usage(self) -> str:
        """A command that uses the model."""

    @abstractmethod
    def fit(self, made: Path, checkpoints: Path, report: Report) -> Scores:
        """Train and save the model to ``made`` with a training.json that holds ``identity``.

        Goes on from ``checkpoints`` where something of this training is there.

        Raises:
            CANNOT_TRAIN: what was given cannot be trained on.
        """

    @abstractmethod
    def score_rows(self, scores: Scores) -> list[dict[str, Any]]:
        """The scores as rows of one table; shares are floats from 0 to 1."""


def check_place(out: Path) -> Path:
    """The absolute path of a folder that a model may be written to.

    Raises:
        CharthouseError: its parent is not there, or it is a file.
    """
    out = out.expanduser().resolve()
    if not out.parent.is_dir():
        raise CharthouseError(f"--out {out}: its folder does not exist", f"Create {out.parent}")
    if out.exists() and not out.is_dir():
        raise CharthouseError(f"--out {out} is a file", "Name a folder")
    return out


def check_base(folder: Path, out: Path) -> None:
    """Refuse to write a model over the one that it starts from.

    Raises:
        CharthouseError: ``out``, as of :func:`check_place`, is the base's folder.
    """
    if folder.resolve() == out:
        raise CharthouseError(f"{out} is both --base and --out", "Name another --out")


def check_package(package: str, what: str, otherwise: str) -> None:
    """Refuse what needs a package of the extra ``train`` where it is not installed.

    Raises:
        CharthouseError: as ``low-rank adapters need the package peft``.
    """
    if importlib.util.find_spec(package) is None:
        raise CharthouseError(
            f"{what} the package {package}", f"Install charthouse[train]{otherwise}"
        )


def save_order(order: TrainingOrder) -> None:
    """Write the order durably, readable by its owner only."""
    write_json(order.work.order, {"parts": order.parts, "device": order.device})


def differences(order: TrainingOrder) -> list[str] | None:
    """Names of the parts in which the saved order differs; ``None`` where none is saved."""
    try:
        saved = json.loads(order.work.order.read_text("utf-8"))["parts"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return ["order.json"]
    now = order.parts
    return sorted(name for name in {*saved, *now} if saved.get(name) != now.get(name))
