"""The tasks of generation by name. Their modules are loaded when they are needed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from flows.errors import UsageError
from flows.generating.task import Task

SUMMARIZE, ANSWER, RELATIONS, TEXT = "summarize", "answer", "relations", "text"

_CLASSES = {
    SUMMARIZE: ("summarizing", "Summarize"),
    ANSWER: ("answering", "Answer"),
    RELATIONS: ("relating", "RelationTask"),
    TEXT: ("writing", "WriteText"),
}
"""By name the module of this package and the class in it."""


def _load(module: str, kind: str) -> Task:
    made: Task = getattr(importlib.import_module(f"flows.generating.{module}"), kind)()
    return made


class Tasks(Mapping[str, Task]):
    """Tasks by name, each loaded when it is asked for first."""

    def __init__(self, makers: Mapping[str, Callable[[], Task]]) -> None:
        """Know how tasks are made."""
        self._makers = dict(makers)
        self._made: dict[str, Task] = {}

    def __getitem__(self, name: str) -> Task:
        """The task of a name."""
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        """Their names."""
        return iter(self._makers)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._makers)

    def __setitem__(self, name: str, task: Task) -> None:
        """Add a task."""
        self._makers[name] = lambda: task
        self._made[name] = task

    def __delitem__(self, name: str) -> None:
        """Take a task away."""
        del self._makers[name]
        self._made.pop(name, None)


TASKS = Tasks({name: partial(_load, *place) for name, place in _CLASSES.items()})


def task_of(name: str) -> Task:
    """The task of a name.

    Raises:
        UsageError: there is none.
    """
    if name not in TASKS:
        raise UsageError(f"there is no task {name}", f"Tasks are {', '.join(TASKS)}")
    return TASKS[name]
