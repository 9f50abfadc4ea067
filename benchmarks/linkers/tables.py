"""Tables of plain text on standard output, progress on standard error."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from linkers.mentions import Group

Row = tuple[str, dict[Group, float]]


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def columns(groups: Sequence[Group]) -> list[str]:
    return [f"{corpus} {label}" for corpus, label in groups]


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they need to be; the first to the left, the others to the right."""
    widths = [max(len(row[at]) for row in (header, *rows)) for at in range(len(header))]
    print(f"\n{title}")
    for row in (header, *rows):
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print("  ".join(cells).rstrip())
    sys.stdout.flush()


def print_changes(title: str, rows: Sequence[Row], groups: Sequence[Group]) -> None:
    """The first row as it is, the others as points above or below it."""
    (first, whole), *others = rows
    print_table(
        title,
        ["", *columns(groups)],
        [
            [first, *(f"{whole[group]:.1f}" for group in groups)],
            *(
                [name, *(f"{figures[group] - whole[group]:+.1f}" for group in groups)]
                for name, figures in others
            ),
        ],
    )
