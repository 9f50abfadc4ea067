"""Fine-tuning an encoder to find relations."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn import functional
from transformers import BertModel

from nlp.ner.device import Device, choose_device
from nlp.ner.encoding import Encoder
from nlp.ner.errors import TrainingError
from nlp.ner.model import load_tokenizer, make_encoder
from nlp.ner.packed import training_hidden
from nlp.ner.score import SpanScore
from nlp.ner.source import (
    BUNDLED,
    BUNDLED_FOLDER,
    ModelSource,
    model_files,
    model_fingerprint,
    tells_case,
)
from nlp.ner.training.checkpoint import read_state, write_state
from nlp.ner.training.examples import shuffled_batches
from nlp.ner.training.masters import Masters, decayed_rate
from nlp.relations.adapters import adapter_weights, add_adapters, add_roles
from nlp.relations.classifier import ENCODER, HEAD, head_form, load_body
from nlp.relations.encoding import ROLES, Example, make_examples, pack_windows
from nlp.relations.features import FEATURES
from nlp.relations.head import HeadShape, PairHead
from nlp.relations.source import OWN, WEIGHTS_FILE, RelationForm, write_form
from nlp.relations.training.recipe import GoldRelations, RelationRecipe
from nlp.relations.training.threshold import best_threshold
from nlp.training.progress import Progress, Report

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
    session = _Session(base, gold, dev, recipe, chosen)
    identity = _identity(base, gold, dev, recipe)
    if checkpoints and (state := read_state(checkpoints, identity)):
        session.load(state)
    for _ in session.run():
        at_end = session.step == 0
        report(session.progress(session.judge() if at_end else None))
        if checkpoints and (at_end or session.step % CHECKPOINT_STEPS == 0):
            write_state(checkpoints, {"identity": identity, **session.state()})
    return session.save(out, describe or {})


class _Network(torch.nn.Module):
    def __init__(self, body: BertModel, head: PairHead) -> None:
        super().__init__()
        self.body = body
        self.head = head


class _Session:
    """A training under way."""

    def __init__(
        self,
        base: ModelSource,
        gold: Sequence[GoldRelations],
        dev: Sequence[GoldRelations],
        recipe: RelationRecipe,
        device: Device,
    ) -> None:
        self._base, self._recipe, self._device = base, recipe, device
        tokenizer, _ = load_tokenizer(base)
        body = load_body(base)
        self._word_case = tells_case(base)
        self._encoder: Encoder = make_encoder(tokenizer, body.config, self._word_case, "first")
        self._cases = add_roles(body, ROLES)
        add_adapters(body, recipe.rank)
        head = PairHead(HeadShape(body.config.hidden_size), recipe.dropout)
        self._network = _Network(body, head).to(device.name)
        self._examples, self._targets = self._prepare(gold)
        self._dev, self._dev_targets = self._prepare(dev)
        self._dev_gold = sum(len(text.related) for text in dev)
        if not any(target.any() for target in self._targets):
            raise TrainingError("the training texts relate no pair of their mentions' concepts")
        if not any(target.any() for target in self._dev_targets):
            raise TrainingError("the dev texts relate no pair of their mentions' concepts")
        self._masters = Masters(self._network, self._network.body, device.dtype, recipe.average)
        self._optimiser = self._masters.optimiser(
            lambda name: recipe.head_rate if name.startswith("head.") else recipe.encoder_rate,
            recipe.weight_decay,
        )
        self._steps_per_epoch = len(self._batches(1))
        self._best: list[torch.Tensor] | None = None
        self._best_f1, self._epochs_since_best = -1.0, 0
        self._judged: tuple[float, SpanScore] | None = None  # of the weights that are kept now
        self._loss, self._pairs = 0.0, 0
        self.epoch, self.step = 1, 0  # the epoch under way, steps done in it

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

    def _batches(self, epoch: int) -> list[list[int]]:
        rng = random.Random(f"{self._recipe.seed} {epoch}")
        sizes = [len(example.tokens) for example in self._examples]
        return shuffled_batches(sizes, self._recipe.batch_tokens, rng)

    def _shown(self, number: int) -> Example:
        """An example as this epoch shows it: with or without what an ontology says."""
        rng = random.Random(f"{self._recipe.seed} {self.epoch} {number}")
        example = self._examples[number]
        if rng.random() >= self._recipe.broader_share:
            return example
        features = example.features.copy()
        features[:, _BROADER] = 0
        return replace(example, features=features)

    def run(self) -> Iterator[None]:
        """Train; stops after every step, with ``step`` 0 when an epoch has just ended."""
        self._network.train()
        self._masters.show_masters()
        while self.epoch <= self._recipe.epochs and not self._is_stale():
            batches = self._batches(self.epoch)
            # The number of batches differs a little between epochs; the schedule may not.
            self._steps_per_epoch = max(self._steps_per_epoch, len(batches))
            if self.step == 0:
                self._loss, self._pairs = 0.0, 0
            for numbers in batches[self.step :]:
                self._take_step(numbers, len(batches))
                self.step += 1
                if self.step < len(batches):
                    yield
            self.epoch, self.step = self.epoch + 1, 0
            yield

    def _is_stale(self) -> bool:
        return 0 < self._recipe.patience <= self._epochs_since_best

    def _take_step(self, numbers: Sequence[int], steps: int) -> None:
        done = (self.epoch - 1 + self.step / steps) / self._recipe.epochs
        self._masters.set_rate(self._optimiser, decayed_rate(done, self._recipe.warmup_share))
        logits = torch.cat(self._logits([self._shown(n) for n in numbers], self._recipe.dropout))
        targets = torch.cat([self._targets[n] for n in numbers]).to(logits.device)
        loss = functional.binary_cross_entropy_with_logits(logits, targets)
        loss.backward()  # type: ignore[no-untyped-call]
        self._masters.take_gradients()
        self._optimiser.step()
        self._masters.publish()
        self._loss += float(loss.detach()) * len(targets)
        self._pairs += len(targets)

    def _logits(self, examples: Sequence[Example], dropout: float) -> list[torch.Tensor]:
        windows = [(example, window) for example in examples for window in example.windows]
        packed, rows = pack_windows(windows, self._encoder)
        packed, rows = packed.to(self._device.name), rows.to(self._device.name)
        hidden = training_hidden(self._network.body, packed, dropout)[rows]
        sizes = [len(example.tokens) for example in examples]
        return [
            self._network.head(states, example)
            for example, states in zip(examples, torch.split(hidden, sizes), strict=True)
        ]

    def _dev_scores(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Probability of each dev pair with the weights that would be kept, and what is true."""
        self._network.eval()
        logits = []
        with torch.inference_mode():
            for first in range(0, len(self._dev), _TEXTS_AT_ONCE):
                logits += self._logits(self._dev[first : first + _TEXTS_AT_ONCE], 0.0)
        self._network.train()
        chances = torch.sigmoid(torch.cat(logits)).cpu().numpy()
        return chances, torch.cat(self._dev_targets).numpy() > 0

    def judge(self) -> dict[str, float]:
        """Scores at an epoch's end, with the threshold that suits it; remembers the best epoch."""
        self._masters.show_kept()
        chances, true = self._dev_scores()
        self._masters.show_masters()
        self._judged = best_threshold(chances, true, self._dev_gold)
        _, score = self._judged
        if self._recipe.patience and score.f1 > self._best_f1:
            self._best_f1, self._epochs_since_best = score.f1, 0
            self._best = [value.clone() for value in self._masters.kept()]
        elif self._recipe.patience:
            self._epochs_since_best += 1
        return {"precision": score.precision, "recall": score.recall, "f1": score.f1}

    def save(self, out: Path, describe: Mapping[str, Any]) -> SpanScore:
        """Choose the threshold by the weights that are saved, and write the classifier."""
        if self._best is not None or self._judged is None:
            if self._best is not None:
                self._masters.give_kept(self._best)
            self._masters.show_kept()
            self._judged = best_threshold(*self._dev_scores(), self._dev_gold)
        threshold, score = self._judged
        self._masters.show_kept(torch.float32)
        out.mkdir(parents=True, exist_ok=True)
        body, head = self._network.body, self._network.head
        weights = {
            **{f"{ENCODER}{name}": value for name, value in adapter_weights(body).items()},
            **{f"{HEAD}{name}": value for name, value in head.state_dict().items()},
        }
        in_box = self._base.folder == BUNDLED_FOLDER  # any folder may have the name
        if not in_box:
            for path in model_files(self._base):
                shutil.copyfile(path, out / path.name)
        # Last: a base that is itself a classifier's folder has a file of this name too.
        halved = {n: w.detach().to("cpu", torch.float16).contiguous() for n, w in weights.items()}
        save_file(halved, out / WEIGHTS_FILE)
        write_form(
            out,
            RelationForm(
                self._recipe.relation,
                self._recipe.subject_label,
                self._recipe.object_label,
                threshold,
                BUNDLED if in_box else OWN,
                model_fingerprint(self._base if in_box else ModelSource(out.name, out)),
                self._word_case,
                self._recipe.rank,
                head_form(head.shape),
            ),
        )
        described = {"recipe": asdict(self._recipe), **describe}
        (out / "training.json").write_text(json.dumps(described, indent=1) + "\n", "utf-8")
        return score

    def progress(self, scores: Mapping[str, float] | None) -> Progress:
        """Where the training stands."""
        ended = self.step == 0
        return Progress(
            epoch=self.epoch - 1 if ended else self.epoch,
            epochs=self._recipe.epochs,
            step=self._steps_per_epoch if ended else self.step,
            steps=self._steps_per_epoch,
            loss=self._loss / max(1, self._pairs),
            scores=scores,
        )

    def state(self) -> dict[str, Any]:
        return {
            "masters": self._masters.state(),
            "optimiser": self._optimiser.state_dict(),
            "random": torch.get_rng_state(),
            "cuda_random": torch.cuda.get_rng_state_all() if self._device.on_cuda else [],
            "best": self._best,
            "best_f1": self._best_f1,
            "epochs_since_best": self._epochs_since_best,
            "loss": self._loss,
            "pairs": self._pairs,
            "epoch": self.epoch,
            "step": self.step,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        self._masters.load(state["masters"])
        self._optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["random"])
        if self._device.on_cuda:
            torch.cuda.set_rng_state_all(state["cuda_random"])
        self._best, self._best_f1 = state["best"], state["best_f1"]
        self._epochs_since_best = state["epochs_since_best"]
        self._loss, self._pairs = state["loss"], state["pairs"]
        self.epoch, self.step = state["epoch"], state["step"]


def _identity(
    base: ModelSource,
    gold: Sequence[GoldRelations],
    dev: Sequence[GoldRelations],
    recipe: RelationRecipe,
) -> str:
    """Fingerprint of all that decides the weights."""
    digest = hashlib.sha256(model_fingerprint(base).encode())
    digest.update(json.dumps(asdict(recipe), sort_keys=True).encode())
    for texts in (gold, dev):
        digest.update(fingerprint_of(texts).encode())
    return digest.hexdigest()


def fingerprint_of(texts: Sequence[GoldRelations]) -> str:
    """SHA-256 of all that texts teach."""
    digest = hashlib.sha256()
    for text in texts:
        known = (text.text.text, text.text.mentions, text.text.sentences)
        row = repr((*known, sorted(text.text.broader), sorted(text.related)))
        digest.update(row.encode("utf-8", "backslashreplace"))
    return digest.hexdigest()
