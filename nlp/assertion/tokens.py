"""Words of a sentence, as rules see them."""

from __future__ import annotations

import re
from collections.abc import Sequence

Token = tuple[str, int, int]
"""Lower case, first character, one past the last."""

BREAK = "\n\n"
"""The token of a break in the layout, in rules written as ``\\n\\n``."""

_TOKEN = re.compile(
    # A break: a blank line, a line that begins with a bullet, a number or a heading, a heading in
    # capitals that some exports glue to the comma or full stop before it, or the number of an item
    # within a line: "2) hernia".
    r"(?P<break>\n\s*\n\s*|\n[ \t]*(?=[-*•]|\d{1,2}[.)]\s|[A-Z][A-Za-z/&]*(?: [A-Za-z/&]+){0,4}:)"
    r"|(?<=[.,;])[ \t]*(?=[A-Z]{2,}(?:[ /&]{1,3}[A-Z]+){0,5}:)"
    r"|(?=\d{1,2}\)\s)(?<=\s))"
    r"|[^\W_]+(?:['’][^\W_]+)*|_+|[^\w\s]"
)
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


def tokenize(text: str, start: int = 0, end: int | None = None) -> list[Token]:
    """Words, marks and breaks of ``text[start:end]``, in offsets of the text.

    An apostrophe within a word belongs to it and is always ``'``; any other mark is a token of
    its own.
    """
    matches = _TOKEN.finditer(text, start, len(text) if end is None else end)
    return [
        (
            BREAK if match.lastgroup else match.group().lower().replace("’", "'"),
            match.start(),
            match.end(),
        )
        for match in matches
    ]


def closing_brackets(tokens: Sequence[Token]) -> dict[int, int]:
    """For each token within brackets the index of the token that closes them."""
    partner: dict[int, int] = {}
    opened: list[int] = []
    for index, (word, _, _) in enumerate(tokens):
        if word in _OPENING:
            opened.append(index)
        elif word in _CLOSING and opened:
            partner[opened.pop()] = index
    if not partner:
        return {}
    closing: dict[int, int] = {}
    within: list[int] = []
    for index in range(len(tokens)):
        if within and within[-1] == index:
            within.pop()
        if within:
            closing[index] = within[-1]
        if index in partner:
            within.append(partner[index])
    return closing
