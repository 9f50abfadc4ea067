"""The one error type that the command line prints as a single line."""

from __future__ import annotations

import os
import traceback
from pathlib import Path


class CharthouseError(Exception):
    """Something the user can mend: what is wrong, and the way out.

    Messages may name files the user named on the command line; they never hold document text
    or native ids.
    """

    def __init__(self, problem: str, fix: str = "") -> None:
        """Join what is wrong and the way out into one line."""
        stop = "" if problem.endswith("?") else "."
        super().__init__(f"{problem}{stop} {fix}" if fix else problem)
        self.problem = problem
        self.fix = fix


class UsageError(CharthouseError):
    """The command line lacks something, or asks for what does not exist."""


class SourceError(CharthouseError):
    """A source cannot be read: missing, unknown format, truncated, without a text column."""

    def reason(self, path: Path) -> str:
        """The problem as a row of ``rejects`` has it: without the path and names of columns."""
        return self.problem.replace(str(path), "the file").partition(";")[0]


def kind_and_place(error: BaseException) -> str:
    """The error's class and the line of code that raised it, without its message."""
    place = ""
    for frame in traceback.extract_tb(error.__traceback__):
        place = f"{Path(frame.filename).name}:{frame.lineno}"
    kind = type(error).__name__
    if isinstance(error, OSError) and error.errno is not None:
        kind += f" ({os.strerror(error.errno)})"
    return f"{kind} at {place}"
