"""Comparators before a number: signs, and words such as less than or approximately."""

from __future__ import annotations

import re
from functools import cache

from nlp.quantities.vocabulary import read_context


def comparator_before(text: str, start: int) -> str | None:
    """The comparator that ends right before ``start``, as <, <=, >, >= or ~."""
    pattern, longest = _pattern()
    match = pattern.search(text, max(0, start - longest), start)
    if match is None:
        return None
    return read_context().comparators[" ".join(match["comparator"].lower().split())]


@cache
def _pattern() -> tuple[re.Pattern[str], int]:
    """The pattern of a comparator at the end of a range, and how far back it may begin."""
    spellings = sorted(read_context().comparators, key=len, reverse=True)
    any_of = "|".join(r"\s".join(map(re.escape, s.split())) for s in spellings)
    # The longest begins first, so a search from the left finds "no more than" before "more than".
    pattern = rf"(?P<comparator>(?<!\w)(?=\w)(?:{any_of})|(?!\w)(?:{any_of}))(?:\s|\ban?\b){{0,3}}$"
    return re.compile(pattern, re.IGNORECASE), max(map(len, spellings)) + 4
