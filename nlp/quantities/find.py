"""Quantities of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from nlp.preprocess.sections import Section


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity, in characters of the text; attributes are the columns of ``quantities``."""

    start_char: int
    end_char: int
    kind: str
    mention_id: int | None = None
    comparator: str | None = None
    value: float | None = None
    high: float | None = None
    unit: str | None = None
    base_value: float | None = None
    base_high: float | None = None
    base_unit: str | None = None
    date: date | None = None


def find_quantities(
    text: str,
    sentences: Sequence[tuple[int, int]],
    sections: Sequence[Section],
    mentions: Sequence[tuple[int, int, str]],
) -> list[Quantity]:
    """The quantities of a text, in text order.

    Args:
        text: the document's text.
        sentences: its sentences.
        sections: its sections.
        mentions: start, end and label, in the order of mention_id.
    """
    return []
