"""The name that stands before a number: creatinine, blood pressure, age."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from nlp.quantities.vocabulary import Name, read_names

_DAY = re.compile(
    r"\d{1,2}/\d{1,2}(?:/\d{2,4})?|(?:19|20)\d\d|january|february|march|april|may|june|july|august|"
    r"september|october|november|december"
)
_WINDOW = 64
"""Characters before a number that are searched for its name."""
_MOST_BETWEEN = 7
"""Words and signs that may stand between a name and its number."""
_FOLLOWING = re.compile(r"\s([A-Za-z]{3,14})\b")
_TOKEN = re.compile(r"[^\W_]+(?:['&/-][^\W_]+)*\+{0,2}|\n|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Named:
    """A name before a number, and its range in the text.

    Attributes:
        second: what a second number is of, where the name is one of two values.
        joined: the name before it, where *and* joins them: BUN and creatinine of 16 and 1.2.
    """

    name: Name
    start: int
    end: int
    second: Named | None = None
    joined: Named | None = None

    def as_pair(self) -> Named:
        """The first of two joined names, this one as its second."""
        if self.joined is None:
            return self
        return replace(self.joined, second=replace(self, joined=None))


def name_before(text: str, position: int, floor: int) -> Named | None:
    """The name of the number at ``position``, no part of it before ``floor``.

    Nothing but words and signs of ``names.toml`` may stand in between, and no line end but right
    behind the name.
    """
    names = read_names()
    start = max(floor, position - _WINDOW)
    tokens = [(m[0], m.start(), m.end()) for m in _TOKEN.finditer(text, start, position)]
    skipped = ""
    for index in range(len(tokens) - 1, max(-1, len(tokens) - _MOST_BETWEEN - 2), -1):
        if named := _name_ending_at(text, tokens, index):
            if start and text[start - 1].isalnum() and named.start == start:
                return None
            return replace(named, joined=_joined(text, tokens, named.start))
        word = tokens[index][0].lower()
        allowed = (
            word in names.between
            or _DAY.fullmatch(word) is not None
            or word in names.signs
            or (word in names.changes and skipped in ("to", "from"))
        )
        if not allowed:
            return None
        skipped = word
    return None


def name_after(text: str, position: int) -> Named | None:
    """The name that follows its value at once, where it may: 8% bands."""
    match = _FOLLOWING.match(text, position)
    name = read_names().by_spelling.get(match[1].lower()) if match else None
    return Named(name, match.start(1), match.end(1)) if match and name and name.after else None


def _joined(text: str, tokens: list[tuple[str, int, int]], start: int) -> Named | None:
    """The name that *and* joins to the one at ``start``."""
    index = next(i for i, token in enumerate(tokens) if token[1] == start)
    if index < 2 or tokens[index - 1][0].lower() not in ("and", "&", "/"):
        return None
    return _name_ending_at(text, tokens, index - 2)


def _name_ending_at(text: str, tokens: list[tuple[str, int, int]], last: int) -> Named | None:
    """The longest name whose last word is the given token."""
    names = read_names()
    end = tokens[last][2]
    sign = tokens[last][0]
    # A full stop belongs to an abbreviation, or it ends the sentence.
    is_full_stop = sign == "." and last > 0 and tokens[last - 1][2] == tokens[last][1]
    if not (is_full_stop or sign[0].isalnum()):
        return None
    for first in range(max(0, last - _most_words()), last + 1):
        if tokens[first][0] == "\n":
            continue
        written = " ".join(text[tokens[first][1] : end].split())
        for key in (written, written.lower()):
            if pair := names.pairs.get(key):
                start = tokens[first][1]
                slash = text.find("/", start, end)
                first_end, second_start = (end, start) if slash < 0 else (slash, slash + 1)
                second = Named(pair[1], second_start, end)
                return Named(pair[0], start, first_end, second)
            if name := names.by_spelling.get(key):
                return Named(name, tokens[first][1], end)
    return None


@cache
def _most_words() -> int:
    return 1 + max(len(_TOKEN.findall(spelling)) for spelling in read_names().by_spelling)
