"""How results are laid out: to the width of a terminal, or without one."""

from __future__ import annotations

import os

from rich.console import Console

_PIPED_WIDTH = 10_000


def standard_output() -> Console:
    """Standard output: as wide as the terminal, or as ``COLUMNS`` says.

    A pipe or a file has no width: there no cell is wrapped or cut, so that ids and paths can be
    searched for and lines be compared.
    """
    out = Console()
    if not out.is_terminal and not os.environ.get("COLUMNS"):
        out.width = _PIPED_WIDTH
    return out
