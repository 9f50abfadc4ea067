"""The order of a training: what it was told to do, checked, and kept while it is under way."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import __version__
from flows.errors import CharthouseError
from flows.training.corpora import Corpus, DataRequest, TrainingData, read_data
from flows.work import WorkFolder, write_json
from nlp.ner.errors import ModelError
from nlp.ner.source import ModelSource, find_model, model_fingerprint

if TYPE_CHECKING:
    from nlp.ner.training import GoldText, Recipe


@dataclass(frozen=True)
class TrainingOrder:
    """Everything a training needs, checked: the base is there, the gold files are read."""

    base: ModelSource
    base_fingerprint: str
    data: TrainingData
    recipe: Recipe
    out: Path
    device: str

    @property
    def work(self) -> WorkFolder:
        """The folder beside ``out`` that holds order and checkpoints until the model is there."""
        return WorkFolder.beside(self.out)

    @property
    def parts(self) -> dict[str, Any]:
        """What decides the weights, by name: fingerprints of texts and base, and the recipe."""
        return {
            "base": self.base_fingerprint,
            "train texts": _fingerprint(self.data.train),
            "dev texts": _fingerprint(self.data.dev),
            **json.loads(json.dumps(asdict(self.recipe))),
        }

    @property
    def identity(self) -> str:
        """Fingerprint of the parts: the same training has the same."""
        return hashlib.sha256(json.dumps(self.parts, sort_keys=True).encode()).hexdigest()

    def describe(self) -> dict[str, Any]:
        """What training.json says beside the recipe; names of files may tell of people: none."""
        return {
            "charthouse": __version__,
            "identity": self.identity,
            "base": {"name": self.base.name, "fingerprint": self.base_fingerprint},
            "train": [_described(corpus) for corpus in self.data.train],
            "dev": [_described(corpus) for corpus in self.data.dev],
            "left_out": self.data.left_out,
        }


def prepare_order(
    data: DataRequest, base: str, recipe: Mapping[str, Any], out: Path, device: str
) -> TrainingOrder:
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
    out = out.expanduser().resolve()
    if not out.parent.is_dir():
        raise CharthouseError(f"--out {out}: its folder does not exist", f"Create {out.parent}")
    if out.exists() and not out.is_dir():
        raise CharthouseError(f"--out {out} is a file", "Name a folder")
    if recipe.get("lora_rank") and importlib.util.find_spec("peft") is None:
        raise CharthouseError(
            "low-rank adapters need the package peft",
            "Install charthouse[train], or leave --lora-rank out",
        )
    try:
        source = find_model(base)
        fingerprint = model_fingerprint(source)
        if source.folder.resolve() == out:
            raise CharthouseError(f"{out} is both --base and --out", "Name another --out")
        read = read_data(data)
        if device not in {"auto", "cpu"}:
            from nlp.ner.device import choose_device  # takes seconds: torch

            choose_device(device)
    except ModelError as error:
        raise CharthouseError(str(error)) from None
    from nlp.ner.training import Recipe  # takes seconds: torch

    made = Recipe(**{**recipe, "labels": read.labels})
    return TrainingOrder(source, fingerprint, read, made, out, device)


def gold_texts(corpora: tuple[Corpus, ...]) -> list[GoldText]:
    """All texts of the corpora as the trainer takes them."""
    from nlp.ner.training import GoldText

    return [
        GoldText(text.text, text.mentions, corpus.annotated)
        for corpus in corpora
        for text in corpus.texts
    ]


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
