"""Round and square brackets of a text, in pairs."""

from __future__ import annotations

import re

LONGEST = 200
"""Characters between two brackets that are taken for a pair."""

BRACKET = re.compile(r"[()\[\]]")

Range = tuple[int, int]


def brackets(text: str) -> list[Range]:
    """Positions of opening and closing brackets that belong together, in order.

    An opening bracket that is not closed in time is forgotten, as is a closing one too many.
    """
    found: list[Range] = []
    opened: list[int] = []
    for match in BRACKET.finditer(text):
        if match[0] in "([":
            opened.append(match.start())
            continue
        while opened:
            opening = opened.pop()
            if (text[opening] == "(") == (match[0] == ")"):
                if match.start() - opening <= LONGEST:
                    found.append((opening, match.start()))
                break
    return sorted(found)


def closes(name: str) -> bool:
    """Whether every bracket in a name has its fellow."""
    depth = 0
    for sign in BRACKET.findall(name):
        depth += 1 if sign in "([" else -1
        if depth < 0:
            return False
    return depth == 0
