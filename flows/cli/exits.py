"""Exit codes of the command line, and how an interrupted command ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from flows.processes import Interrupted

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_REJECTS = 3
EXIT_QUALITY = 4
EXIT_INTERRUPTED = 130


@contextmanager
def interruption_told(kept: str) -> Iterator[None]:
    """End the command after Ctrl-C or a signal, and say what is left of its work.

    Args:
        kept: a sentence or two.
    """
    try:
        yield
    except (Interrupted, KeyboardInterrupt):
        print(f"charthouse: interrupted. {kept}", file=sys.stderr)
        raise typer.Exit(EXIT_INTERRUPTED) from None
