"""transformers' Trainer with our habits: progress, stops, checkpoints that a kill cannot spoil.

The trainer and accelerate bring the loop, mixed precision, accumulation, gradient checkpointing and
the states of optimiser, schedule, data order and random numbers; peft brings low-rank adapters.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed
from transformers.utils import logging

from nlp.ner.device import Device
from nlp.training.checkpoint import sync, write_whole
from nlp.training.progress import Progress, Report

CHECKPOINT_STEPS = 250
"""Optimiser steps between two checkpoints; one more is written at the end of each epoch."""

_COMPLETE = "complete.json"
_SCORES = "scores.json"
_BEST = "best.safetensors"

logging.disable_progress_bar()  # type: ignore[no-untyped-call]

Loss = Callable[[Any, dict[str, Any]], torch.Tensor]
"""The mean loss of a batch, from the network and what ``collate`` made."""


@dataclass(frozen=True)
class Schedule:
    """Settings of the loop.

    Attributes:
        epochs: passes over the examples.
        batch: examples of one forward pass.
        accumulation: forward passes of one optimiser step.
        rate: highest learning rate (AdamW).
        decay: ``linear`` or ``cosine``, down to 0.
        weight_decay: AdamW's.
        warmup_share: share of the steps in which the rate rises.
        patience: epochs without a better score before the training stops and the best epoch's
            weights are kept; 0 trains to the end and keeps the last.
        gradient_checkpointing: compute activations twice instead of keeping them.
        seed: of order and dropout.
    """

    epochs: int
    batch: int
    accumulation: int
    rate: float
    decay: str
    weight_decay: float
    warmup_share: float
    patience: int
    gradient_checkpointing: bool
    seed: int


@dataclass(frozen=True)
class Judge:
    """Scores the network after each epoch; ``measure`` chooses between epochs."""

    scores: Callable[[Any], Mapping[str, float]]
    measure: str
    lower_is_better: bool = False


def fit(
    network: Any,
    examples: Sequence[Any],
    collate: Callable[[list[Any]], dict[str, Any]],
    loss: Loss,
    judge: Judge,
    schedule: Schedule,
    *,
    checkpoints: Path,
    device: Device,
    report: Report,
) -> Mapping[str, float]:
    """Train the network in place; returns the scores of the weights it ends with.

    Goes on from the last whole checkpoint in ``checkpoints``. On a CPU the result is then that of
    an undisturbed training, to the last bit.

    Args:
        network: of transformers or peft.
        examples: what ``collate`` takes, any number.
        collate: a batch of examples to the input of ``loss``.
        loss: mean over the batch.
        judge: scores after each epoch.
        schedule: settings of the loop.
        checkpoints: private folder; created where it is missing.
        device: where, and in which number format the forward pass is done.
        report: told after each step and each epoch; may raise to end the training.
    """
    checkpoints.mkdir(parents=True, exist_ok=True, mode=0o700)
    set_seed(schedule.seed)
    last = _last_whole(checkpoints)
    watcher = _Watcher(judge, schedule, checkpoints, report)
    trainer = _Trainer(
        loss,
        watcher,
        model=network,
        args=_arguments(schedule, len(examples), checkpoints, device),
        train_dataset=_Examples(examples),
        data_collator=collate,
        callbacks=[watcher],
    )
    for unwanted in ("PrinterCallback", "ProgressCallback"):
        for callback in list(trainer.callback_handler.callbacks):
            if type(callback).__name__ == unwanted:
                trainer.remove_callback(callback)
    if last is not None:
        watcher.load(json.loads((last / _COMPLETE).read_text("utf-8")))
    if last is None or not watcher.is_over:
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    elif not schedule.patience:
        trainer._load_from_checkpoint(str(last))
    if schedule.patience:
        network.load_state_dict(load_file(checkpoints / _BEST), strict=False)
    network.eval().to(device.name)
    return judge.scores(network)


def _arguments(
    schedule: Schedule, examples: int, folder: Path, device: Device
) -> TrainingArguments:
    steps = schedule.epochs * math.ceil(examples / (schedule.batch * schedule.accumulation))
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=schedule.epochs,
        per_device_train_batch_size=schedule.batch,
        gradient_accumulation_steps=schedule.accumulation,
        learning_rate=schedule.rate,
        lr_scheduler_type=schedule.decay,
        weight_decay=schedule.weight_decay,
        warmup_steps=math.ceil(schedule.warmup_share * steps),
        **_checkpointing(schedule),
        bf16=device.dtype == torch.bfloat16,
        use_cpu=not device.on_cuda,
        seed=schedule.seed,
        data_seed=schedule.seed,
        save_strategy="no",  # the watcher asks for checkpoints
        save_total_limit=2,  # the last whole one stays while the next is written
        logging_strategy="no",
        eval_strategy="no",
        report_to="none",
        remove_unused_columns=False,
        disable_tqdm=True,
        dataloader_pin_memory=device.on_cuda,
    )


def _checkpointing(schedule: Schedule) -> dict[str, Any]:
    """The argument under the name that this transformers has; nothing where it is off."""
    known = {field.name for field in fields(TrainingArguments)}
    names = ("activation_checkpointing", "gradient_checkpointing")  # the new one, the old one
    name = next(name for name in names if name in known)
    return {name: True} if schedule.gradient_checkpointing else {}


def _last_whole(folder: Path) -> Path | None:
    """The newest checkpoint that was written to its end; torn ones are removed."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    for path in [path for path in found if not (path / _COMPLETE).is_file()]:
        shutil.rmtree(path)
    whole = [path for path in found if path.is_dir()]
    return whole[-1] if whole else None


class _Examples(torch.utils.data.Dataset[Any]):
    def __init__(self, examples: Sequence[Any]) -> None:
        self._examples = examples

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, place: int) -> Any:
        return self._examples[place]


class _Trainer(Trainer):
    """Computes our loss, and tells it."""

    def __init__(self, loss: Loss, watcher: _Watcher, **settings: Any) -> None:
        super().__init__(**settings)
        self._loss = loss
        self._watcher = watcher
        self.model_accepts_loss_kwargs = False  # ours is a mean: accumulation divides it

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        loss = self._loss(model, inputs)
        self._watcher.add(float(loss.detach()))
        return loss


class _Watcher(TrainerCallback):
    """Reports, judges epochs, keeps the best weights, and marks checkpoints as whole."""

    def __init__(self, judge: Judge, schedule: Schedule, folder: Path, report: Report) -> None:
        self._judge = judge
        self._schedule = schedule
        self._folder = folder
        self._report = report
        self._sum, self._count = 0.0, 0
        self._epoch = 0
        self._first_step = 0
        self._in_epoch = False

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to train after the checkpoint that was loaded."""
        return not self._in_epoch and (
            self._epoch >= self._schedule.epochs or self._is_stale(self._epoch)
        )

    def add(self, loss: float) -> None:
        self._sum, self._count = self._sum + loss, self._count + 1

    def load(self, state: Mapping[str, Any]) -> None:
        self._sum, self._count = state["sum"], state["count"]
        self._epoch, self._in_epoch = state["epoch"], state["in_epoch"]
        self._first_step = state["first_step"]

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if not self._in_epoch:  # else it is gone on with
            self._sum, self._count = 0.0, 0
            self._epoch += 1
            self._first_step = state.global_step
            self._in_epoch = True

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        steps = max(1, state.max_steps // self._schedule.epochs)
        step = state.global_step - self._first_step
        self._report(Progress(self._epoch, self._schedule.epochs, step, steps, self._mean))
        if not math.isfinite(self._mean):
            control.should_training_stop = True
        if state.global_step % CHECKPOINT_STEPS == 0 and step < steps:
            control.should_save = True

    def on_epoch_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        model = given["model"]
        self._in_epoch = False
        model.eval()
        scores = self._judge.scores(model)
        model.train()
        self._remember(scores, model)
        steps = max(1, state.max_steps // self._schedule.epochs)
        self._report(Progress(self._epoch, self._schedule.epochs, steps, steps, self._mean, scores))
        if self._is_stale(self._epoch):
            control.should_training_stop = True
        control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        folder = self._folder / f"checkpoint-{state.global_step}"
        for path in folder.iterdir():
            sync(path)
        told = {
            "sum": self._sum,
            "count": self._count,
            "epoch": self._epoch,
            "in_epoch": self._in_epoch,
            "first_step": self._first_step,
        }
        _write_json(folder / _COMPLETE, told)

    @property
    def _mean(self) -> float:
        return self._sum / max(1, self._count)

    def _remember(self, scores: Mapping[str, float], model: Any) -> None:
        """Note the epoch's score, and its weights where it is the best so far.

        A killed training may go through an epoch twice: what stood there of it goes.
        """
        noted = {e: s for e, s in self._noted().items() if e < self._epoch}
        noted[self._epoch] = scores[self._judge.measure]
        if self._schedule.patience and self._best(noted) == self._epoch:
            wanted = {n for n, p in model.named_parameters() if p.requires_grad}
            kept = {
                name: value.detach().cpu().contiguous().clone()
                for name, value in model.state_dict().items()
                if name in wanted
            }
            write_whole(self._folder / _BEST, lambda path: save_file(kept, path))
        _write_json(self._folder / _SCORES, noted)

    def _noted(self) -> dict[int, float]:
        path = self._folder / _SCORES
        if not path.is_file():
            return {}
        return {int(epoch): score for epoch, score in json.loads(path.read_text("utf-8")).items()}

    def _best(self, noted: Mapping[int, float]) -> int:
        sign = -1 if self._judge.lower_is_better else 1
        return max(noted, key=lambda epoch: (sign * noted[epoch], -epoch))

    def _is_stale(self, epoch: int) -> bool:
        noted = {e: s for e, s in self._noted().items() if e <= epoch}
        return bool(noted) and 0 < self._schedule.patience <= epoch - self._best(noted)


def _write_json(path: Path, content: Mapping[Any, Any]) -> None:
    write_whole(path, lambda temporary: temporary.write_text(json.dumps(content), "utf-8"))
