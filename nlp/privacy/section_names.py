"""Sections that a source states: they move with the text, and their names are searched, too."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from nlp.preprocess.heading_rules import load_heading_rules
from nlp.preprocess.opened import OTHER
from nlp.privacy.replace import Replaced

Row = dict[str, Any]


def move_sections(
    sections: Sequence[Row] | None, text: Replaced, names: Sequence[str]
) -> list[Row] | None:
    """The sections in offsets of the text as it is now, with other names.

    Args:
        sections: name, start_char and end_char of each.
        text: the text after replacement.
        names: the new name of each.
    """
    if sections is None:
        return None
    return [
        section
        | {
            "name": name,
            "start_char": text.start(section["start_char"]),
            "end_char": text.end(section["end_char"]),
        }
        for section, name in zip(sections, names, strict=True)
    ]


def known_name(name: str) -> str:
    """A section's name if the rules of headings in the box know it, else ``other``."""
    return name if name in _known() else OTHER


@cache
def _known() -> frozenset[str]:
    stated = load_heading_rules().stated.values()
    return frozenset(
        name for rules in stated for heading, rule in rules.items() for name in (heading, rule.name)
    )
