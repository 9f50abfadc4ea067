"""Sentences by rule, from the text alone: for notes as they are typed and exported, and abstracts.

One expression finds the places where a sentence may end: full stops and their like, line breaks,
commas that an export has put where lines ended, bullets. What stands around each decides; the words
it knows are in ``sentences.toml``. What counts as a sentence is written in docs/sentences.md. Time
is proportional to the length of the text; each paragraph is cut without regard to the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlp.preprocess.lines import BREAKS, Lines
from nlp.preprocess.stops import WORDS, ends_sentence, kind_of

_BULLETS = "•▪●◦‣"
_MARKS = ".?!…"
_CANDIDATE = re.compile(
    rf"""
    (?=[{_MARKS}{BREAKS}:,{_BULLETS}])  # for speed: most characters are none of these
    # All marks at once; a second try within a run of them would make time quadratic.
    (?: [{_MARKS}](?<![{_MARKS}]{{2}})[{_MARKS}]*+["'”’)\]}}»]*+
        (?: (?=[\s,]|\Z)
        |   (?P<glued>(?=[A-Z(\[]))
        |   (?P<cited>(?=\d{{1,3}}(?:[,–-]\d{{1,3}}){{0,8}}\s+[A-Z])) )
    | [{BREAKS}]\s*+
    | :[ \t]{{0,4}},
    | ,(?=[A-Z][A-Za-z][A-Za-z /&-]{{0,40}}:|\d{{1,2}}\.(?!\S))
    | [{_BULLETS}](?!\S) )
    """,
    re.VERBOSE,
)
_CITATION = re.compile(r"[\d,–-]+")
_NEXT_LINE = re.compile(r",\s{0,4}(?=[A-Z0-9(\"•*-])")
_NEW_LINE = re.compile(r"[A-Z][A-Za-z][A-Za-z /&-]{0,40}:|[A-Z /&-]{4}|\d{1,2}\.(?!\S)")


def find_sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence, without the white space around it, in text order.

    They do not overlap, and every character that is no white space lies within one.
    """
    found: list[tuple[int, int]] = []
    start = 0
    for end in _ends(text):
        piece = text[start:end].rstrip()
        if bare := piece.lstrip():
            last = start + len(piece)
            found.append((last - len(bare), last))
        start = end
    return found


def _ends(text: str) -> Iterator[int]:
    """Where sentences end, the end of the text last."""
    start = 0
    lines = Lines(text, WORDS["unfinished"])
    for match in _CANDIDATE.finditer(text):
        position, end = match.span()
        sign = text[position]
        if sign in _MARKS:
            if match.lastgroup == "glued":
                if not _begins_glued(text, position, end):
                    continue
            elif match.lastgroup == "cited":
                if not _is_word(text, position):
                    continue
                end = _end_of_citation(text, end)
            elif text[end : end + 1] == ",":
                if not _ends_line(text, position, end):
                    continue
                end += 1
            elif not ends_sentence(text, start, position, end):
                continue
        elif sign == ",":
            if not text[position - 1 : position].isalpha():
                continue
            end = position + 1
        elif sign in _BULLETS:
            end = position
        elif sign != ":" and not lines.is_break(position, end):
            continue
        if end > start:
            yield end
            start = end
    yield len(text)


def _word_before(text: str, position: int) -> str:
    """The word that ends at a position; empty where white space stands there."""
    if position and text[position - 1].isspace():
        return ""
    before = text[max(0, position - 32) : position].rsplit(None, 1)
    return before[-1] if before else ""


def _is_word(text: str, position: int) -> bool:
    """Whether an ordinary word of small letters, or a bracket, stands before a mark."""
    word = _word_before(text, position).rstrip(")]}\"'”’")
    word = word.rpartition("(")[2].rpartition("-")[2]
    return len(word) > 2 and word.isalpha() and word.islower() and kind_of(word) is None


def _begins_glued(text: str, position: int, end: int) -> bool:
    """Whether a sentence ends without white space after it: left.She came."""
    following = text[end : end + 3]
    if text[position:end] != "." and text[position] == ".":
        return False
    return following[1:2].islower() and _is_word(text, position)


def _end_of_citation(text: str, end: int) -> int:
    citation = _CITATION.match(text, end)
    return citation.end() if citation else end


def _ends_line(text: str, position: int, end: int) -> bool:
    """Whether the comma after a mark stands where a line ended."""
    following = _NEXT_LINE.match(text, end)
    if following is None:
        return False
    word = _word_before(text, position).lstrip("([\"'")
    kind = kind_of(word)
    if kind is None and not (len(word) == 1 and word.isalpha()):
        return True
    is_glued = following.end() == end + 1
    if kind == "often" and is_glued and text[end + 1].isupper():
        return True
    return is_glued and _NEW_LINE.match(text, end + 1) is not None
