"""The main process of a measured run: the command as it is, its stages timed.

    python -m scaling.child MARKS ARGUMENT...

Nothing in the product knows of this: functions are wrapped from outside, each under the name by
which its caller finds it. With a stand-in in the environment it takes the place of NER.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from flows.processes import die_with_parent
from scaling.standin import VARIABLE

STAGES = ("plan", "annotate", "link", "publish")


class Marks:
    """Begin and end of whatever is timed, one JSON line each: wall and CPU of this process."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, name: str, what: str, **values: int) -> None:
        mark = {"name": name, "what": what, "at": time.time(), "cpu": time.process_time()}
        self._file.write(json.dumps(mark | values) + "\n")
        self._file.flush()

    def time(self, module: ModuleType, function: str, name: str) -> None:
        """Wrap a module's function."""
        wrapped: Callable[..., Any] = getattr(module, function)

        @functools.wraps(wrapped)
        def timed(*arguments: Any, **named: Any) -> Any:
            self.write(name, "begin")
            try:
                return wrapped(*arguments, **named)
            finally:
                self.write(name, "end")

        setattr(module, function, timed)

    def count_in_flight(self, module: ModuleType) -> None:
        """Wrap ``dispatch`` so that it tells how many items were submitted and not finished."""
        dispatch = module.dispatch

        def counted(items: Sequence[Any], submit: Any, finish: Any, **named: Any) -> Any:
            in_flight, most = 0, 0

            def submit_one(item: Any) -> Any:
                nonlocal in_flight, most
                in_flight += 1
                most = max(most, in_flight)
                return submit(item)

            def finish_one(*arguments: Any) -> Any:
                nonlocal in_flight
                done = finish(*arguments)
                in_flight -= len(arguments[0]) if isinstance(arguments[0], list) else 1
                return done

            try:
                return dispatch(items, submit_one, finish_one, **named)
            finally:
                self.write("in flight", "most", count=most, bound=named.get("in_flight", 0))

        module.dispatch = counted


def main() -> None:
    path, *arguments = sys.argv[1:]
    die_with_parent(os.getppid())
    marks = Marks(Path(path).open("w", encoding="ascii"))  # noqa: SIM115 - open to the end
    marks.write("process", "begin")
    from flows import run
    from flows.cli import main as command

    prefect_api = run.prefect_api

    @contextmanager
    def with_marks() -> Iterator[str]:
        marks.write("start Prefect", "begin")
        with prefect_api() as address:
            # Only now: Prefect reads its settings when it is imported.
            _wrap(marks)
            marks.write("start Prefect", "end")
            yield address

    run.prefect_api = with_marks  # type: ignore[assignment]
    marks.time(run, "summarise", "summary")
    sys.argv = ["charthouse", *arguments]
    exit_now = os._exit

    def leave(code: int) -> None:
        marks.write("process", "end")
        exit_now(code)

    os._exit = leave  # type: ignore[assignment]
    command()


def _wrap(marks: Marks) -> None:
    from flows import annotating, linking, pipeline, shard_stage, worker

    for stage in STAGES:
        marks.time(pipeline, stage, stage)
    marks.time(annotating, "load_checked", "load")
    marks.time(linking, "link_in_context", "context")
    marks.count_in_flight(shard_stage)
    if VARIABLE in os.environ:
        from scaling.standin import start_worker

        worker.start_worker = start_worker


if __name__ == "__main__":
    main()
