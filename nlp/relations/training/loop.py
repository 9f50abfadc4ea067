"""Fine-tuning an encoder to find relations."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from transformers import BertModel

from nlp.ner.device import Device, choose_device
from nlp.ner.encoding import Encoder
from nlp.ner.errors import TrainingError
from nlp.ner.model import load_tokenizer, make_encoder
from nlp.ner.packed import training_hidden
from nlp.ner.score import SpanScore
from nlp.ner.source import ModelSource, tells_case
from nlp.relations.adapters import add_adapters, add_roles
from nlp.relations.classifier import load_body
from nlp.relations.encoding import ROLES, Example, make_examples, pack_windows
from nlp.relations.features import FEATURES
from nlp.relations.head import HeadShape, PairHead
from nlp.relations.training.recipe import GoldRelations, RelationRecipe
from nlp.relations.training.save import save_classifier
from nlp.relations.training.threshold import best_threshold
from nlp.training.checkpoint import training_identity
from nlp.training.loop import Lesson, teach
from nlp.training.progress import Report

CHECKPOINT_STEPS = 50
"""Steps between two checkpoints; one more is written at the end of each epoch."""

_BROADER = FEATURES.index("object_has_narrower")
_TEXTS_AT_ONCE = 8


def train(
    base: ModelSource,
    gold: Sequence[GoldRelations],
    dev: Sequence[GoldRelations],
    out: Path,
    recipe: RelationRecipe,
    *,
    checkpoints: Path | None = None,
    device: str = "auto",
    report: Report = lambda progress: None,
    describe: Mapping[str, Any] | None = None,
) -> SpanScore:
    """Teach an encoder the relations of texts and save a classifier to ``out``.

    Args:
        base: an encoder of BERT's form with its tokenizer; the NER model in the box is referred
            to, any other's files are saved with the classifier.
        gold: training texts.
        dev: texts that each epoch is scored on, and that choose the threshold.
        out: folder that receives relations.json, relations.safetensors, training.json.
        recipe: what is related, and settings.
        checkpoints: folder for the state of the training. Where it holds one of the same base,
            texts and recipe, training goes on from there and ends with the same weights.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        report: receives progress.
        describe: what training.json says beside the recipe, such as names of corpora.

    Returns:
        Pairs on ``dev``, related by annotators, by the classifier, by both.

    Raises:
        TrainingError: there is nothing to learn from or to judge by, or a checkpoint of another
            training is in the way.
        ModelError: the base or the device cannot be used.
    """
    chosen = choose_device(device)
    random.seed(recipe.seed)
    torch.manual_seed(recipe.seed)
    learner = _Learner(base, gold, dev, recipe, chosen)
    masters = teach(
        Lesson(
            module=learner.network,
            network=learner.network.body,
            rate=lambda name: recipe.head_rate if name.startswith("head.") else recipe.encoder_rate,
            sizes=[len(example.tokens) for example in learner.examples],
            unit="pairs",
            loss=learner.loss,
            score=lambda: learner.judge()[1],
        ),
        recipe,
        chosen,
        checkpoints=checkpoints,
        checkpoint_steps=CHECKPOINT_STEPS,
        identity=training_identity(
            base, recipe, (fingerprint_of(texts).encode() for texts in (gold, dev))
        ),
        report=report,
    )
    threshold, score = learner.judge()
    masters.show_kept(torch.float32)
    body, head = learner.network.body, learner.network.head
    save_classifier(body, head, base, out, threshold, recipe, describe or {})
    return score


class _Network(torch.nn.Module):
    def __init__(self, body: BertModel, head: PairHead) -> None:
        super().__init__()
        self.body = body
        self.head = head


class _Learner:
    """A network, the texts it learns from, and those it is judged by."""

    def __init__(
        self,
        base: ModelSource,
        gold: Sequence[GoldRelations],
        dev: Sequence[GoldRelations],
        recipe: RelationRecipe,
        device: Device,
    ) -> None:
        self._recipe, self._device = recipe, device
        tokenizer, _ = load_tokenizer(base)
        body = load_body(base)
        self._encoder: Encoder = make_encoder(tokenizer, body.config, tells_case(base), "first")
        self._cases = add_roles(body, ROLES)
        add_adapters(body, recipe.rank)
        head = PairHead(HeadShape(body.config.hidden_size), recipe.dropout)
        self.network = _Network(body, head).to(device.name)
        self.examples, self._targets = self._prepare(gold)
        self._dev, self._dev_targets = self._prepare(dev)
        self._dev_gold = sum(len(text.related) for text in dev)
        if not any(target.any() for target in self._targets):
            raise TrainingError("the training texts relate no pair of their mentions' concepts")
        if not any(target.any() for target in self._dev_targets):
            raise TrainingError("the dev texts relate no pair of their mentions' concepts")

    def _prepare(self, gold: Sequence[GoldRelations]) -> tuple[list[Example], list[torch.Tensor]]:
        """Texts that name a pair, and what is true of each pair."""
        examples = make_examples(
            [text.text for text in gold],
            self._encoder,
            self._cases,
            self._recipe.subject_label,
            self._recipe.object_label,
        )
        kept = [
            (example, torch.tensor([float(name in text.related) for name in example.names]))
            for example, text in zip(examples, gold, strict=True)
            if len(example.pairs)
        ]
        return [example for example, _ in kept], [target for _, target in kept]

    def _shown(self, number: int, epoch: int) -> Example:
        """An example as an epoch shows it: with or without what an ontology says."""
        rng = random.Random(f"{self._recipe.seed} {epoch} {number}")
        example = self.examples[number]
        if rng.random() >= self._recipe.broader_share:
            return example
        features = example.features.copy()
        features[:, _BROADER] = 0
        return replace(example, features=features)

    def loss(self, epoch: int, numbers: list[int]) -> tuple[torch.Tensor, int]:
        """Mean a pair over the texts of these numbers, and their pairs."""
        shown = [self._shown(number, epoch) for number in numbers]
        logits = torch.cat(self._logits(shown, self._recipe.dropout))
        targets = torch.cat([self._targets[number] for number in numbers]).to(logits.device)
        return functional.binary_cross_entropy_with_logits(logits, targets), len(targets)

    def _logits(self, examples: Sequence[Example], dropout: float) -> list[torch.Tensor]:
        windows = [(example, window) for example in examples for window in example.windows]
        packed, rows = pack_windows(windows, self._encoder)
        packed, rows = packed.to(self._device.name), rows.to(self._device.name)
        hidden = training_hidden(self.network.body, packed, dropout)[rows]
        sizes = [len(example.tokens) for example in examples]
        return [
            self.network.head(states, example)
            for example, states in zip(examples, torch.split(hidden, sizes), strict=True)
        ]

    def judge(self) -> tuple[float, SpanScore]:
        """The threshold that suits the weights the network has now, and the dev pairs with it."""
        logits = []
        with torch.inference_mode():
            for first in range(0, len(self._dev), _TEXTS_AT_ONCE):
                logits += self._logits(self._dev[first : first + _TEXTS_AT_ONCE], 0.0)
        chances = torch.sigmoid(torch.cat(logits)).cpu().numpy()
        true = torch.cat(self._dev_targets).numpy() > 0
        return best_threshold(chances, true, self._dev_gold)


def fingerprint_of(texts: Sequence[GoldRelations]) -> str:
    """SHA-256 of all that texts teach."""
    digest = hashlib.sha256()
    for text in texts:
        known = (text.text.text, text.text.mentions, text.text.sentences)
        row = repr((*known, sorted(text.text.broader), sorted(text.related)))
        digest.update(row.encode("utf-8", "backslashreplace"))
    return digest.hexdigest()
