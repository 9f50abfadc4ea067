"""Watching a training: terminal, history, plot and Prefect are told how far it is."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from flows.errors import CharthouseError
from flows.processes import STOP
from flows.training.history import Epoch, add_epoch
from flows.training.output import HISTORY, PLOT
from flows.training.plot import training_svg
from flows.training.session import TrainingSession
from flows.work import write_durably

if TYPE_CHECKING:
    from nlp.training.progress import Progress

_ARTIFACT_SECONDS = 10.0


class Watch:
    """Receives the trainer's reports, and stops it where a stop was asked for."""

    def __init__(self, session: TrainingSession) -> None:
        """Nothing is shown before the first report says how long the training is."""
        self._session = session
        self._out = session.order.out
        self._artifact: UUID | None = None
        self._told = 0.0
        self._begun = False
        self._done = 0

    def report(self, progress: Progress) -> None:
        """Pass a report on.

        Raises:
            Interrupted: a stop was asked for.
            CharthouseError: the weights have run away.
        """
        total = progress.epochs * progress.steps
        self._done = (progress.epoch - 1) * progress.steps + progress.step
        reporter = self._session.reporter
        if not self._begun:
            reporter.stage("training", "steps", total, already=self._done - 1)
            self._begun = True
        reporter.done(self._done)
        if not math.isfinite(progress.loss):
            raise CharthouseError(
                "the loss is no number any more", self._session.order.when_diverged
            )
        if progress.scores is not None:
            self._end_of_epoch(progress, progress.scores)
        self._tell_prefect(100 * self._done / max(1, total), force=progress.scores is not None)
        STOP.check()

    def end(self) -> None:
        """The training is over, perhaps before its last epoch."""
        if self._begun:
            self._session.reporter.end(self._done)
        self._tell_prefect(100.0, force=True)

    def _end_of_epoch(self, progress: Progress, scores: Mapping[str, float]) -> None:
        order = self._session.order
        epoch = Epoch(progress.epoch, progress.loss, scores)
        self._out.mkdir(exist_ok=True)
        history = add_epoch(self._out / HISTORY, epoch)
        svg = training_svg(history, progress.epochs, order.measure, order.loss_title)
        write_durably(
            self._out / PLOT, lambda path: path.write_text(svg, encoding="utf-8"), private=False
        )
        told = ", ".join(f"{order.shown[name]} {scores[name]:.3f}" for name in order.shown)
        self._session.reporter.say(
            f"epoch {epoch.epoch} of {progress.epochs}: loss {epoch.loss:.4f}, {told}"
        )

    def _tell_prefect(self, percent: float, *, force: bool) -> None:
        clock = time.monotonic()
        if not force and clock - self._told < _ARTIFACT_SECONDS:
            return
        self._told = clock
        try:
            if self._artifact is None:
                made = create_progress_artifact(
                    progress=percent, key="charthouse-train", description="Steps of the training"
                )
                self._artifact = made if isinstance(made, UUID) else None
            else:
                update_progress_artifact(self._artifact, progress=percent)
        except Exception as error:  # the training goes on, whatever Prefect says
            self._session.reporter.say(
                f"Prefect did not take the progress ({type(error).__name__})"
            )
