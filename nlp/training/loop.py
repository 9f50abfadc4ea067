"""Our own loop: shuffled batches, float32 masters, the best epoch, and going on after a kill."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nlp.ner.device import Device
from nlp.ner.score import SpanScore
from nlp.training.checkpoint import read_state, write_state
from nlp.training.masters import Masters, decayed_rate
from nlp.training.progress import Progress, Report
from nlp.training.recipe import LoopRecipe


@dataclass(frozen=True)
class Lesson:
    """What is taught.

    Attributes:
        module: what is trained, on its device.
        network: the part of it that computes in the device's number format.
        rate: highest learning rate of a parameter, given its name.
        sizes: tokens of each example.
        unit: what the loss is a mean over, such as ``words``.
        loss: of a batch, from the epoch and the examples' numbers: the mean, and over how many.
        score: on dev, of the weights that the module has; None where there is no dev.
    """

    module: torch.nn.Module
    network: torch.nn.Module
    rate: Callable[[str], float]
    sizes: Sequence[int]
    unit: str
    loss: Callable[[int, list[int]], tuple[torch.Tensor, int]]
    score: Callable[[], SpanScore] | None


def teach(
    lesson: Lesson,
    recipe: LoopRecipe,
    device: Device,
    *,
    checkpoints: Path | None,
    checkpoint_steps: int,
    identity: str,
    report: Report,
) -> Masters:
    """Train the lesson's module in place.

    Args:
        lesson: what is taught.
        recipe: settings of the loop.
        device: where, and in which number format.
        checkpoints: folder for the state of the training. Where it holds one of the same identity,
            training goes on from there and ends with the same weights.
        checkpoint_steps: steps between two checkpoints; an epoch's end has one too.
        identity: fingerprint of all that decides the weights.
        report: told after each step, of an epoch's last with scores; may raise to end the training.

    Returns:
        The masters; the module has the weights that are kept.

    Raises:
        TrainingError: a checkpoint of another training is in the way.
    """
    loop = _Loop(lesson, recipe, device)
    if checkpoints and (state := read_state(checkpoints, identity)):
        loop.load(state)
    for progress in loop.run():
        report(progress)
        if checkpoints and loop.step % checkpoint_steps == 0:
            write_state(checkpoints, {"identity": identity, **loop.state()})
    return loop.end()


def shuffled_batches(sizes: Sequence[int], recipe: LoopRecipe, epoch: int) -> list[list[int]]:
    """One epoch: shuffled numbers of examples, in batches of at most ``batch_tokens`` tokens.

    Args:
        sizes: tokens of each example; a larger one is a batch by itself.
        recipe: has the batches' size and the order's seed.
        epoch: from 1; each has an order of its own.
    """
    rng = random.Random(f"{recipe.seed} {epoch}")
    batches: list[list[int]] = [[]]
    tokens = 0
    for number in rng.sample(range(len(sizes)), len(sizes)):
        if batches[-1] and tokens + sizes[number] > recipe.batch_tokens:
            batches.append([])
            tokens = 0
        batches[-1].append(number)
        tokens += sizes[number]
    return batches


class _Loop:
    """A training under way."""

    def __init__(self, lesson: Lesson, recipe: LoopRecipe, device: Device) -> None:
        self._lesson, self._recipe, self._device = lesson, recipe, device
        self._masters = Masters(lesson.module, lesson.network, device.dtype, recipe.average)
        self._optimiser = self._masters.optimiser(lesson.rate, recipe.weight_decay)
        self._steps_per_epoch = len(shuffled_batches(lesson.sizes, recipe, 1))
        self._best: list[torch.Tensor] | None = None
        self._best_f1, self._epochs_since_best = -1.0, 0
        self._loss, self._count = 0.0, 0
        self.epoch, self.step = 1, 0  # the epoch under way, steps done in it

    def run(self) -> Iterator[Progress]:
        """Take the steps that are left; ``step`` is 0 when an epoch has just ended."""
        self._lesson.module.train()
        self._masters.show_masters()
        while self.epoch <= self._recipe.epochs and not self._is_stale():
            batches = shuffled_batches(self._lesson.sizes, self._recipe, self.epoch)
            # The number of batches differs a little between epochs; the schedule may not.
            self._steps_per_epoch = max(self._steps_per_epoch, len(batches))
            if self.step == 0:
                self._loss, self._count = 0.0, 0
            for numbers in batches[self.step :]:
                self._take_step(numbers, len(batches))
                self.step += 1
                if self.step < len(batches):
                    yield self._progress(self.step)
            progress = self._progress(self._steps_per_epoch, self._judge())
            self.epoch, self.step = self.epoch + 1, 0
            yield progress

    def _is_stale(self) -> bool:
        return 0 < self._recipe.patience <= self._epochs_since_best

    def _take_step(self, numbers: list[int], steps: int) -> None:
        done = (self.epoch - 1 + self.step / steps) / self._recipe.epochs
        self._masters.set_rate(self._optimiser, decayed_rate(done, self._recipe.warmup_share))
        loss, count = self._lesson.loss(self.epoch, numbers)
        loss.backward()  # type: ignore[no-untyped-call]
        self._masters.take_gradients()
        self._optimiser.step()
        self._masters.publish()
        self._loss += float(loss.detach()) * count
        self._count += count

    def _judge(self) -> Mapping[str, float] | None:
        """Scores of the weights that would be kept now; with patience the best are remembered."""
        if not self._lesson.score:
            return None
        self._masters.show_kept()
        self._lesson.module.eval()
        score = self._lesson.score()
        self._lesson.module.train()
        self._masters.show_masters()
        if self._recipe.patience and score.f1 > self._best_f1:
            self._best_f1, self._epochs_since_best = score.f1, 0
            self._best = [value.clone() for value in self._masters.kept()]
        elif self._recipe.patience:
            self._epochs_since_best += 1
        return {"precision": score.precision, "recall": score.recall, "f1": score.f1}

    def _progress(self, step: int, scores: Mapping[str, float] | None = None) -> Progress:
        loss = self._loss / max(1, self._count)
        return Progress(self.epoch, self._recipe.epochs, step, self._steps_per_epoch, loss, scores)

    def end(self) -> Masters:
        """Give the module the weights that are to be saved."""
        if self._best is not None:
            self._masters.give_kept(self._best)
        self._masters.show_kept()
        self._lesson.module.eval()
        return self._masters

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {
            "masters": self._masters.state(),
            "optimiser": self._optimiser.state_dict(),
            "random": torch.get_rng_state(),
            "cuda_random": torch.cuda.get_rng_state_all() if self._device.on_cuda else [],
            "best": self._best,
            "best_f1": self._best_f1,
            "epochs_since_best": self._epochs_since_best,
            "loss": self._loss,
            self._lesson.unit: self._count,
            "epoch": self.epoch,
            "step": self.step,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take a checkpoint up again."""
        self._masters.load(state["masters"])
        self._optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["random"])
        if self._device.on_cuda:
            torch.cuda.set_rng_state_all(state["cuda_random"])
        self._best, self._best_f1 = state["best"], state["best_f1"]
        self._epochs_since_best = state["epochs_since_best"]
        self._loss, self._count = state["loss"], state[self._lesson.unit]
        self.epoch, self.step = state["epoch"], state["step"]
