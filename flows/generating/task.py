"""What a task of generation is: how it plans its items, and what a worker does with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

if TYPE_CHECKING:
    from flows.settings import Settings
    from flows.warehouse.connection import Connection


@dataclass(frozen=True)
class GenerationSet:
    """A generation_id and what it stands for: a row of ``generation_sets``."""

    generation_id: str
    task: str
    model: str
    model_fingerprint: str
    prompt: str | None
    prompt_version: int | None
    prompt_sha256: str | None
    parameters: str


@dataclass(frozen=True)
class GenerationRequest:
    """What is asked for.

    Attributes:
        task: a key of ``TASKS``.
        settings: models and their settings; nothing in them is text.
        where: an SQL condition on ``documents``; the documents it selects are read.
        questions: (question_id, text) of answers.
        scope: of answers: ``document``, ``person`` or ``warehouse``: whose text is searched.
        limit: items at most.
        inputs: further named inputs of the prompt template.
    """

    task: str
    settings: Settings
    where: str = "true"
    questions: tuple[tuple[str, str], ...] = ()
    scope: str = "warehouse"
    limit: int | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Produced:
    """What came of a shard's items.

    Attributes:
        frames: rows by table name, in declared columns.
        rejects: (row of the shard, reason) of items that failed; a reason holds no text.
        seconds: of the model.
    """

    frames: Mapping[str, pl.DataFrame]
    rejects: Sequence[tuple[int, str]]
    seconds: float


class TaskWorker(Protocol):
    """A task with its models loaded."""

    def carry_out(self, items: pl.DataFrame, progress: Callable[[int], None]) -> Produced:
        """Work on the items of a shard, columns of ``ITEM_SCHEMA``.

        One item that fails is a reject; ``progress`` is told how many are done. What comes of an
        item does not depend on its neighbours.
        """


class Task(Protocol):
    """A kind of generation, without anything heavy loaded."""

    name: str

    def identify(self, request: GenerationRequest) -> GenerationSet:
        """Check model and prompt at the door, and fingerprint all that decides the output.

        Raises:
            CharthouseError: a model or prompt cannot be used, or a setting is missing.
        """

    def items(self, connection: Connection, request: GenerationRequest) -> Iterator[pl.DataFrame]:
        """Frames of ``ITEM_SCHEMA``: what the warehouse has to be worked on, in a fixed order.

        Items that are done already may be among them; the planner leaves them out.
        """

    def load(self, request: GenerationRequest) -> TaskWorker:
        """Load the models, once per worker process."""


def described(values: Mapping[str, Any]) -> str:
    """Parameters as the JSON that ``generation_sets.parameters`` keeps."""
    import json

    return json.dumps(values, sort_keys=True, ensure_ascii=False)
