"""Parts of what commands print at their end: counts, and commands to go on with."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table


def command() -> str:
    """How to call the command from here: by its name, or by its path where that is not known."""
    if shutil.which("charthouse"):
        return "charthouse"
    # Started by python -m, the path is that of a module, which nobody can call.
    is_module = Path(sys.argv[0]).name == "__main__.py"
    return f"{shortest(sys.executable)} -m flows.cli" if is_module else shortest(sys.argv[0])


def shortest(path: str) -> str:
    """The path from here where it lies below, else as it is."""
    here = Path.cwd()
    full = Path(path).absolute()
    return shlex.quote(str(full.relative_to(here)) if full.is_relative_to(here) else str(full))


def counts_table(title: str) -> Table:
    """A table of counts, to be filled by rows of name, number and remark."""
    table = Table(
        title=title,
        title_justify="left",
        show_header=False,
        box=None,
        min_width=len(title) + 1,
    )
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_column()
    return table


def print_queries(
    console: Console, told: str, warehouse: str, queries: Iterable[tuple[str, str]]
) -> None:
    """Print commands that put queries to a warehouse.

    Args:
        console: to print to.
        told: how many, in words.
        warehouse: its path.
        queries: each a question in words, and the query.
    """
    console.print(f"\n{told} to try:")
    for title, query in queries:
        console.print(f"  [dim]# {title}[/]")
        line = f'  {command()} sql --warehouse {shortest(warehouse)} "{query}"'
        console.print(line, markup=False, highlight=False, soft_wrap=True)
