"""Fine-tuning a base model as a token classifier."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from nlp.ner.chain import LabelOn
from nlp.ner.decode import Span
from nlp.ner.device import Device, choose_device
from nlp.ner.encoding import Encoder
from nlp.ner.engine import NerEngine
from nlp.ner.errors import TrainingError
from nlp.ner.model import (
    LoadedModel,
    folder_source,
    load_model,
    load_tokenizer,
    make_encoder,
)
from nlp.ner.score import SpanScore, score_by_label
from nlp.ner.training.calibrate import write_curves
from nlp.ner.training.examples import collate, make_examples
from nlp.ner.training.gold import GoldText
from nlp.ner.training.network import Trainee, build
from nlp.ner.training.recipe import Recipe
from nlp.ner.training.save import decoder_of, save_model
from nlp.training.checkpoint import training_identity
from nlp.training.loop import Lesson, teach
from nlp.training.progress import Report

CHECKPOINT_STEPS = 250
"""Steps between two checkpoints; one more is written at the end of each epoch."""


def train(
    base: Path,
    gold: Sequence[GoldText],
    dev: Sequence[GoldText],
    out: Path,
    recipe: Recipe,
    *,
    checkpoints: Path | None = None,
    device: str = "auto",
    report: Report = lambda progress: None,
    describe: Mapping[str, Any] | None = None,
) -> dict[str, SpanScore]:
    """Fine-tune the model in ``base`` and save a token classifier to ``out``.

    Args:
        base: folder of an encoder, or of BioGPT, with its tokenizer.
        gold: training texts; each teaches only the labels its corpus annotates.
        dev: texts to score each epoch on; with ``recipe.patience`` they choose the epoch kept. In
            the end the saved model's scores are calibrated on them.
        out: folder that receives config, fp16 weights, tokenizer, decoder.json, training.json.
        recipe: labels and settings.
        checkpoints: folder for the state of the training. Where it holds one of the same base,
            texts and recipe, training goes on from there and ends with the same weights.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        report: receives progress.
        describe: what training.json says beside the recipe, such as names of corpora.

    Returns:
        Strict span scores on ``dev`` of the saved weights, by label.

    Raises:
        TrainingError: nothing to learn from, the base cannot be trained, or a checkpoint of
            another training is in the way.
        ModelError: the base's tokenizer has no character offsets, or the device is not there.
    """
    labels = recipe.labels or tuple(sorted({x for text in gold for x in text.annotated}))
    if not any(mention[2] in labels for text in gold for mention in text.mentions):
        raise TrainingError("the training texts hold no mention of the labels")
    chosen = choose_device(device)
    random.seed(recipe.seed)
    torch.manual_seed(recipe.seed)
    learner = _Learner(base, gold, labels, recipe, chosen)
    masters = teach(
        Lesson(
            module=learner.trainee,
            network=learner.trainee.network,
            rate=learner.highest_rate,
            sizes=[len(example.token_ids) for example in learner.examples],
            unit="words",
            loss=learner.loss,
            score=(lambda: learner.score(dev)) if dev else None,
        ),
        recipe,
        chosen,
        checkpoints=checkpoints,
        checkpoint_steps=CHECKPOINT_STEPS,
        identity=training_identity(folder_source(base), recipe, _known(gold, dev)),
        report=report,
    )
    masters.show_kept(torch.float32)
    save_model(learner.trainee, base, out, labels, learner.encoder, recipe, describe or {})
    if not dev:
        return {}
    saved = load_model(folder_source(out), chosen)
    found = NerEngine(saved).find([text.text for text in dev])
    write_curves(out, found, dev)
    return score_found(found, dev)


def score_model(model: LoadedModel, gold: Sequence[GoldText]) -> dict[str, SpanScore]:
    """Strict span scores by label; each text counts for the labels its corpus annotates."""
    return score_found(NerEngine(model).find([text.text for text in gold]), gold)


def score_found(found: Sequence[Sequence[Span]], gold: Sequence[GoldText]) -> dict[str, SpanScore]:
    """The same of mentions that were found in the texts."""
    return score_by_label(
        [{m for m in text.mentions if m[2] in text.annotated} for text in gold],
        [
            {(s.start, s.end, s.label) for s in spans if s.label in text.annotated}
            for text, spans in zip(gold, found, strict=True)
        ],
    )


class _Learner:
    """A network and the windows it learns from."""

    def __init__(
        self,
        base: Path,
        gold: Sequence[GoldText],
        labels: tuple[str, ...],
        recipe: Recipe,
        device: Device,
    ) -> None:
        self._recipe, self._labels, self._device = recipe, labels, device
        tokenizer, self._pad_token = load_tokenizer(folder_source(base))
        word_case = recipe.word_case and _loses_case(base)
        network = build(base, labels, recipe, word_case)
        label_on: LabelOn = "last" if network.config.model_type in CAUSAL else "first"
        self.encoder: Encoder = make_encoder(tokenizer, network.config, word_case, label_on)
        self.examples = make_examples(gold, self.encoder, labels)
        self.trainee = Trainee(network, len(labels), self._pad_token, recipe.dropout)
        self.trainee.to(device.name)

    def highest_rate(self, name: str) -> float:
        """Of a parameter."""
        if name.startswith("moves."):
            return 5 * self._recipe.head_rate
        in_head = "classifier" in name or ".score." in name
        return self._recipe.head_rate if in_head else self._recipe.encoder_rate

    def loss(self, epoch: int, numbers: list[int]) -> tuple[torch.Tensor, int]:
        """Mean a word over the windows of these numbers, and their words."""
        batch = collate([self.examples[number] for number in numbers]).to(self._device.name)
        return self.trainee(batch) / batch.words, batch.words

    def score(self, dev: Sequence[GoldText]) -> SpanScore:
        """Strict, micro, of the weights that the network has now."""
        model = LoadedModel(
            "training",
            self.trainee.network,
            self.encoder,
            decoder_of(self.trainee, self._labels, self.encoder),
            self._pad_token,
            self._device,
        )
        return SpanScore.total(score_model(model, dev).values())


CAUSAL = frozenset({"biogpt", "gpt2", "llama", "mistral"})
"""Model types whose tokens see only what stands before them."""


def _loses_case(base: Path) -> bool:
    """Whether the base is a plain BERT whose tokenizer lower-cases."""
    try:
        config = json.loads((base / "config.json").read_text("utf-8"))
        normalizer = json.loads((base / "tokenizer.json").read_text("utf-8"))["normalizer"] or {}
    except (OSError, ValueError, KeyError):
        return False
    return config.get("model_type") == "bert" and bool(normalizer.get("lowercase"))


def _known(*parts: Sequence[GoldText]) -> Iterator[bytes]:
    """All that texts teach, for a fingerprint."""
    for texts in parts:
        for text in texts:
            yield repr((text.text, text.mentions, sorted(text.annotated))).encode()
        yield b"|"
