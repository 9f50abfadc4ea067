"""Citations in an answer: numbers of passages in square brackets."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BRACKETS = re.compile(r"\[\s*(\d{1,4}(?:\s*(?:[,;]|-|–|and)\s*\d{1,4})*)\s*\]")
_PART = re.compile(r"(\d+)(?:\s*[-–]\s*(\d+))?")


@dataclass(frozen=True)
class Citations:
    """Numbers that an answer cites: those of ``given`` passages, and others, which mean nothing."""

    given: frozenset[int]
    unknown: frozenset[int]


def find_citations(text: str, passages: int) -> Citations:
    """The numbers cited as ``[1]``, ``[1, 3]``, ``[1][2]`` or ``[1-3]``.

    Args:
        text: an answer. It stays as it is, whatever it cites.
        passages: how many passages it was given, numbered from 1.
    """
    cited: set[int] = set()
    for brackets in _BRACKETS.finditer(text):
        for first, last in _PART.findall(brackets.group(1)):
            cited.add(int(first))
            if last:
                cited.add(int(last))
                cited.update(range(int(first), min(int(last), passages) + 1))
    given = {number for number in cited if 1 <= number <= passages}
    return Citations(frozenset(given), frozenset(cited - given))
