"""HTML of numbers, tables and notes. Whatever is put into a page goes through here, escaped."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

Row = dict[str, Any]

NOTHING = "–"


def escaped(value: object) -> str:
    """Text as it may stand between tags and in attributes."""
    return html.escape(str(value), quote=True)


def json_block(element_id: str, value: object) -> str:
    """Data for scripts, as an element that no text in it can end."""
    text = json.dumps(value, ensure_ascii=False, default=str, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f'<script type="application/json" id="{escaped(element_id)}">{text}</script>'


def shown(value: object, form: str = "") -> str:
    """A value for people: thousands apart, dates to the minute, nothing as a dash.

    Args:
        value: a number, moment, text, or None.
        form: of numbers, as :func:`format` has it, for example ``.1%``.
    """
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and form:
        return format(value, form)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3g}" if abs(value) < 100 else f"{value:,.0f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


@dataclass(frozen=True)
class Cell:
    """A column of a table: the key in its rows, its heading, and the form of its numbers.

    ``status`` marks the words of it: done, failed, warning and the like.
    """

    key: str
    heading: str
    form: str = ""
    status: bool = False
    plain: bool = False
    """A number that is a name: years, say."""


def table_html(caption: str, cells: Sequence[Cell], rows: Sequence[Row]) -> str:
    """A table with a caption that scrolls by itself where it is wider than the page."""
    numeric = {
        cell.key
        for cell in cells
        if any(_is_number(row[cell.key]) for row in rows)
        and all(row[cell.key] is None or _is_number(row[cell.key]) for row in rows)
    }
    head = "".join(
        f'<th scope="col"{_number_class(cell.key in numeric)}>{escaped(cell.heading)}</th>'
        for cell in cells
    )
    body = "".join(
        f"<tr>{''.join(_cell(cell, row, n, cell.key in numeric) for n, cell in enumerate(cells))}"
        "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escaped(caption)}"><table>'
        f"<caption>{escaped(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def note(text: str) -> str:
    """A sentence below a heading."""
    return f'<p class="note">{escaped(text)}</p>'


def empty(text: str) -> str:
    """What stands where there is nothing to show."""
    return f'<p class="empty">{escaped(text)}</p>'


def tiles(numbers: Sequence[tuple[str, str]]) -> str:
    """Big numbers, each with what it counts."""
    return (
        '<dl class="tiles">'
        + "".join(
            f"<div><dt>{escaped(what)}</dt><dd>{escaped(number)}</dd></div>"
            for what, number in numbers
        )
        + "</dl>"
    )


def pill(word: str) -> str:
    """A status, coloured by what it means."""
    kind = {
        "done": "good",
        "ok": "good",
        "failed": "bad",
        "abandoned": "bad",
        "warning": "warn",
        "running": "warn",
    }.get(word, "plain")
    return f'<span class="pill {kind}">{escaped(word.replace("_", " "))}</span>'


def _cell(cell: Cell, row: Row, position: int, numeric: bool) -> str:
    value = row[cell.key]
    text = pill(str(value)) if cell.status and value is not None else escaped(_text(cell, value))
    if position == 0:
        return f'<th scope="row"{_number_class(numeric)}>{text}</th>'
    return f"<td{_number_class(numeric)}>{text}</td>"


def _text(cell: Cell, value: object) -> str:
    return str(value) if cell.plain and value is not None else shown(value, cell.form)


def _number_class(numeric: bool) -> str:
    return ' class="number"' if numeric else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
