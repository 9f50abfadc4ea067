"""Lengths of time: how long something lasts, or how far from the document's date it lies."""

from __future__ import annotations

import re

from nlp.quantities.readings import Part

ARTICLE_AGO = r"an?\s(?:day|week|month|year)\sago\b"
"""A week ago: no number is written."""

_CALENDAR = {"d": "d", "w": "wk", "m": "mo", "y": "a"}
_AGO = re.compile(r"\sago\b", re.IGNORECASE)
_IN = re.compile(r"\bin\s(?:about\s|approximately\s|another\s|the next\s)?$", re.IGNORECASE)
_BEFORE = 24
"""Characters before a number that are searched for it."""
_NOT_AHEAD = re.compile(r"\s(?:of|after|following|from)\b", re.IGNORECASE)
_ARTICLE_AGO = re.compile(ARTICLE_AGO, re.IGNORECASE)
_LASTING = re.compile(
    r",?\s?|[\s,]{0,3}[^.,;]*\b(?:for|x|times)\s(?:(?:the|next|a|total|of|at|least|up|to|about|"
    r"approximately|another|over|more|than)\s)*",
    re.IGNORECASE,
)
_FAR = 40


def match_article_ago(text: str, start: int) -> tuple[Part, str] | None:
    """One day, week, month or year ago at ``start``, and the code of the unit."""
    match = _ARTICLE_AGO.match(text, start)
    if match is None:
        return None
    return Part(start, match.end(), -1.0), _CALENDAR[match[0].split()[1][0].lower()]


def from_today(text: str, part: Part, unit: str) -> Part | None:
    """A length of time as a distance from the document's date, below zero where it is past.

    None where it tells no such distance: hours and less, and what follows an event.
    """
    if unit not in _CALENDAR.values():
        return None
    if ago := _AGO.match(text, part.end):
        if part.high is None:
            return Part(part.start, ago.end(), -part.value)
        return Part(part.start, ago.end(), -part.high, -part.value)
    before = text[max(0, part.start - _BEFORE) : part.start]
    return part if _IN.search(before) and not _NOT_AHEAD.match(text, part.end) else None


def is_lasting(gap: str) -> bool:
    """Whether the words between a drug and a length of time say that it is taken for so long."""
    return len(gap) <= _FAR and _LASTING.fullmatch(gap) is not None
