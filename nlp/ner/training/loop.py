"""Fine-tuning a base model as a token classifier."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
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
from nlp.ner.source import model_fingerprint
from nlp.ner.training.calibrate import write_curves
from nlp.ner.training.checkpoint import read_state, write_state
from nlp.ner.training.examples import Example, collate, cut_batches, make_examples
from nlp.ner.training.gold import GoldText
from nlp.ner.training.masters import Masters, decayed_rate
from nlp.ner.training.network import Trainee, build
from nlp.ner.training.recipe import Recipe
from nlp.ner.training.save import decoder_of, save_model

CHECKPOINT_STEPS = 250
"""Steps between two checkpoints; one more is written at the end of each epoch."""


@dataclass(frozen=True)
class Progress:
    """One report: after a step, or at an epoch's end, when the scores on dev are there too.

    ``loss`` is the mean a word over the epoch so far; scores are strict, micro, 0 to 1.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None


def train(
    base: Path,
    gold: Sequence[GoldText],
    dev: Sequence[GoldText],
    out: Path,
    recipe: Recipe,
    *,
    checkpoints: Path | None = None,
    device: str = "auto",
    report: Callable[[Progress], None] = lambda progress: None,
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
    session = _Session(base, gold, labels, recipe, chosen)
    identity = _identity(base, gold, dev, recipe)
    if checkpoints and (state := read_state(checkpoints, identity)):
        session.load(state)
    for _ in session.run():
        at_end = session.step == 0
        scores: dict[str, SpanScore] = {}
        if at_end and dev:
            scores = session.score(dev)
            session.keep_if_better(SpanScore.total(scores.values()).f1)
        report(session.progress(scores))
        if checkpoints and (at_end or session.step % CHECKPOINT_STEPS == 0):
            write_state(checkpoints, {"identity": identity, **session.state()})
    session.take_kept()
    save_model(session.trainee, base, out, labels, session.encoder, recipe, describe or {})
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


class _Session:
    """A training under way."""

    def __init__(
        self,
        base: Path,
        gold: Sequence[GoldText],
        labels: tuple[str, ...],
        recipe: Recipe,
        device: Device,
    ) -> None:
        self._recipe = recipe
        self._labels = labels
        self._device = device
        tokenizer, self._pad_token = load_tokenizer(folder_source(base))
        word_case = recipe.word_case and _loses_case(base)
        network = build(base, labels, recipe, word_case)
        label_on: LabelOn = "last" if network.config.model_type in CAUSAL else "first"
        self.encoder: Encoder = make_encoder(tokenizer, network.config, word_case, label_on)
        self._examples: list[Example] = make_examples(gold, self.encoder, labels)
        self.trainee = Trainee(network, len(labels), self._pad_token, recipe.dropout)
        self.trainee.to(device.name)
        self._masters = Masters(self.trainee, self.trainee.network, device.dtype, recipe.average)
        self._optimiser = self._masters.optimiser(self._highest_rate, recipe.weight_decay)
        self._steps_per_epoch = len(self._batches(1))
        self._best: list[torch.Tensor] | None = None
        self._best_f1 = -1.0
        self._epochs_since_best = 0
        self._loss, self._words = 0.0, 0
        self.epoch, self.step = 1, 0  # the epoch under way, steps done in it

    def _highest_rate(self, name: str) -> float:
        if name.startswith("moves."):
            return 5 * self._recipe.head_rate
        in_head = "classifier" in name or ".score." in name
        return self._recipe.head_rate if in_head else self._recipe.encoder_rate

    def _batches(self, epoch: int) -> list[list[int]]:
        rng = random.Random(f"{self._recipe.seed} {epoch}")
        return cut_batches(self._examples, self._recipe.batch_tokens, rng)

    def run(self) -> Iterator[None]:
        """Train; stops after every step, with ``step`` 0 when an epoch has just ended."""
        self.trainee.train()
        self._masters.show_masters()
        while self.epoch <= self._recipe.epochs and not self._is_stale():
            batches = self._batches(self.epoch)
            # The number of batches differs a little between epochs; the schedule may not.
            self._steps_per_epoch = max(self._steps_per_epoch, len(batches))
            if self.step == 0:
                self._loss, self._words = 0.0, 0
            for numbers in batches[self.step :]:
                self._take_step([self._examples[number] for number in numbers], len(batches))
                self.step += 1
                if self.step < len(batches):
                    yield
            self.epoch, self.step = self.epoch + 1, 0
            yield

    def _is_stale(self) -> bool:
        return 0 < self._recipe.patience <= self._epochs_since_best

    def _take_step(self, examples: list[Example], steps: int) -> None:
        done = (self.epoch - 1 + self.step / steps) / self._recipe.epochs
        self._masters.set_rate(self._optimiser, decayed_rate(done, self._recipe.warmup_share))
        batch = collate(examples).to(self._device.name)
        loss = self.trainee(batch)
        (loss / batch.words).backward()
        self._masters.take_gradients()
        self._optimiser.step()
        self._masters.publish()
        self._loss += float(loss.detach())
        self._words += batch.words

    def score(self, dev: Sequence[GoldText]) -> dict[str, SpanScore]:
        """Scores by label of the weights that would be kept now."""
        self._masters.show_kept()
        self.trainee.eval()
        decoder = decoder_of(self.trainee, self._labels, self.encoder)
        scores = score_model(
            LoadedModel(
                "training",
                self.trainee.network,
                self.encoder,
                decoder,
                self._pad_token,
                self._device,
            ),
            dev,
        )
        self.trainee.train()
        self._masters.show_masters()
        return scores

    def keep_if_better(self, f1: float) -> None:
        """Remember the weights of the best epoch, where patience asks for them."""
        if not self._recipe.patience:
            return
        if f1 > self._best_f1:
            self._best_f1, self._epochs_since_best = f1, 0
            self._best = [value.clone() for value in self._masters.kept()]
        else:
            self._epochs_since_best += 1

    def take_kept(self) -> None:
        """Give the network the weights that are to be saved, in float32."""
        if self._best is not None:
            self._masters.give_kept(self._best)
        self._masters.show_kept(torch.float32)
        self.trainee.eval()

    def progress(self, scores: Mapping[str, SpanScore]) -> Progress:
        """Where the training stands."""
        ended = self.step == 0
        micro = SpanScore.total(scores.values()) if scores else None
        return Progress(
            epoch=self.epoch - 1 if ended else self.epoch,
            epochs=self._recipe.epochs,
            step=self._steps_per_epoch if ended else self.step,
            steps=self._steps_per_epoch,
            loss=self._loss / max(1, self._words),
            precision=micro.precision if micro else None,
            recall=micro.recall if micro else None,
            f1=micro.f1 if micro else None,
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
            "words": self._words,
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
        self._loss, self._words = state["loss"], state["words"]
        self.epoch, self.step = state["epoch"], state["step"]


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


def _identity(base: Path, gold: Sequence[GoldText], dev: Sequence[GoldText], recipe: Recipe) -> str:
    """Fingerprint of all that decides the weights."""
    digest = hashlib.sha256(model_fingerprint(folder_source(base)).encode())
    digest.update(json.dumps(asdict(recipe), sort_keys=True).encode())
    for texts in (gold, dev):
        for text in texts:
            known = (text.text, text.mentions, sorted(text.annotated))
            digest.update(repr(known).encode())
        digest.update(b"|")
    return digest.hexdigest()
