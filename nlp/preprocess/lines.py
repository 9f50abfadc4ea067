"""Line breaks: those that end a heading, a list item or a paragraph, and those of wrapped text.

Wrapped text breaks a line where the next word would not have fitted. That is asked of a paragraph's
own lines alone, so that what surrounds a paragraph never changes how it is cut.
"""

from __future__ import annotations

import re
from bisect import bisect_right

BREAKS = "\n\r\x0b\x0c\x85\u2028\u2029"
"""Characters that break a line."""

WIDEST = 140
"""Characters of the longest line of a paragraph up to which it may be a wrapped one."""
NARROWEST, NARROWEST_COLUMN = 60, 30
"""Those from which it may be: of any text, and where nearly all breaks look so."""

_BREAK = re.compile(rf"\r\n|[{BREAKS}]")
_BLANK = re.compile(rf"(?:\r\n|[{BREAKS}])[^\S{BREAKS}]*+(?=[{BREAKS}])")
_ITEM = re.compile(r"(?:[-•*▪●◦‣–—]|\d{1,2}[.)]|[A-Za-z]\))(?!\S)|#\d")
_HEADING = re.compile(r"[A-Z][A-Za-z][A-Za-z /&()-]{0,48}:(?!\S)")
_WORD = re.compile(r"\S{0,80}")
_LAST_WORD = re.compile(r"([^\W\d_]+)\.?\Z")
_LAST = 24
_ENDS = ".?!…"
_GOES_ON = ",-–/(&+="


class Lines:
    """The line breaks of a text, asked in order."""

    def __init__(self, text: str, unfinished: frozenset[str]) -> None:
        """Nothing is read before the first break; ``unfinished`` are words that end no line."""
        self._text = text
        self._unfinished = unfinished
        self._begin = self._end = len(text) - len(text.lstrip())
        self._last = len(text.rstrip())
        self._width = 0
        self._is_wrapped = self._is_prose = False
        self._starts: list[int] = []

    def is_break(self, position: int, end: int) -> bool:
        """Whether the sentence ends at the white space from ``position`` to ``end``.

        It begins with a line break, and the white space before is left out.
        """
        text = self._text
        if position < self._begin or end == len(text):
            return True
        if _BLANK.match(text, position) is not None:
            self._begin = end
            return True
        if position >= self._end:
            self._read()
        line = bisect_right(self._starts, position) - 1
        left = text[max(self._starts[line], position - _LAST) : position].rstrip()
        if not left:
            return True
        following = text[end : end + 60]
        last = left[-1]
        is_full = self._is_full(line, position, end)
        wraps = self._is_wrapped and is_full
        if not wraps and (last == ":" or _HEADING.match(following)):
            return True
        open_ended = last in _GOES_ON or self._is_unfinished(left)
        if _ITEM.match(following):
            return not (wraps and open_ended and following[0].isdigit())
        if open_ended:
            return False
        if is_full and self._width >= NARROWEST and last not in _ENDS and self._is_item(line):
            return False
        if wraps:
            return following[0].isupper() and not self._is_prose and last not in _ENDS
        if following[0].islower() and last not in _ENDS:
            return not self._starts_upper(line)
        return True

    def _read(self) -> None:
        """Look at the lines of the paragraph that begins where the last one ended."""
        text = self._text
        blank = _BLANK.search(text, self._begin)
        self._end = blank.start() if blank else self._last
        self._starts = [self._begin]
        self._starts += [m.end() for m in _BREAK.finditer(text, self._begin, self._end)]
        ends = [*(start - 1 for start in self._starts[1:]), self._end]
        lengths = [
            len(text[start:end].rstrip()) for start, end in zip(self._starts, ends, strict=True)
        ]
        self._width = max(lengths)
        full = prose = 0
        for length, following in zip(lengths, self._starts[1:], strict=False):
            word = _WORD.match(text[following : following + 160].lstrip())
            if word and length + 1 + len(word[0]) > self._width:
                full += 1
                prose += word[0][:1].islower()
        breaks = len(lengths) - 1
        share = full / breaks if breaks else 0.0
        self._is_wrapped = (NARROWEST <= self._width <= WIDEST and share >= 0.5) or (
            NARROWEST_COLUMN <= self._width <= WIDEST and breaks >= 3 and share >= 0.9
        )
        self._is_prose = prose > 0

    def _is_full(self, line: int, position: int, end: int) -> bool:
        if self._width > WIDEST:
            return False
        word = _WORD.match(self._text, end)
        length = len(self._text[self._starts[line] : position].rstrip())
        return word is not None and length + 1 + len(word[0]) > self._width

    def _is_unfinished(self, left: str) -> bool:
        word = _LAST_WORD.search(left)
        return word is not None and word[1].lower() in self._unfinished

    def _is_item(self, line: int) -> bool:
        start = self._starts[line]
        return _ITEM.match(self._text[start : start + 60].lstrip()) is not None

    def _starts_upper(self, line: int) -> bool:
        start = self._starts[line]
        head = self._text[start : start + 60].lstrip(" \t-•*▪●◦‣–—0123456789.)")
        return head[:1].isupper()
