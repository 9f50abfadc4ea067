"""Full stops and other marks: those that end a sentence, and those of abbreviations and numbers."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

WORDS_FILE = Path(__file__).parent / "sentences.toml"
"""Abbreviations, and words that begin sentences."""

WORDS = {
    name: frozenset(words)
    for name, words in tomllib.loads(WORDS_FILE.read_text(encoding="utf-8")).items()
}
_KINDS = {
    word: kind for kind in ("often", "seldom", "number", "titles", "never") for word in WORDS[kind]
}
_OPENERS = WORDS["openers"]
_LETTERED = WORDS["lettered"]
_TYPED = WORDS["typed"]

_REACH = 32
"""Characters before a mark in which its word is looked for."""
_AHEAD = 48
"""Characters after a mark that are looked at."""

_OPENING = "\"'“‘([{«"
_CLOSING = "\"'”’)]}»"
_COMPARISONS = frozenset("=<>≤≥")
_NO_START = ",;:)]}%/="
_NEXT = re.compile(r"[^\s,;:)\]]+")
_NUMBER = re.compile(r"[#+-]?\d[\d.,/:–-]*")
_ITEM = re.compile(r"(?:\d{1,2}[.)]|[-•*▪●◦‣–—])(?!\S)")
_HEADING = re.compile(r"[A-Z][A-Za-z][A-Za-z /&-]{0,40}:")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_SMALL_NAME = re.compile(r"[a-z]{1,4}-?[A-Z0-9]|(?:alpha|beta|gamma|delta|kappa)-\w")
"""What begins small even where a sentence begins: p53, mRNA, c-Myc, beta-catenin."""


def ends_sentence(text: str, start: int, mark: int, end: int) -> bool:
    """Whether the mark at ``mark`` ends the sentence.

    Args:
        text: the text.
        start: where the sentence begins.
        mark: the first of one or more full stops, question marks and the like.
        end: after the last of them, and after brackets and quotes that close there. White space
            follows.
    """
    after = text[end : end + _AHEAD].lstrip()
    if not after:
        return True
    first = after[0]
    if first.isupper():  # the usual case, for speed
        last = text[max(start, mark - _REACH) : mark].rsplit(None, 1)
        if last and len(last[-1]) > 1 and last[-1].isalpha() and last[-1].lower() not in _KINDS:
            return True
    if first in _NO_START:
        return False
    ahead = _NEXT.match(after.lstrip(_OPENING))
    word = ahead[0] if ahead else ""
    if text[mark] != "." or (mark + 1 < end and text[mark + 1] in ".?!…"):
        return not word[:1].islower() and not (text[mark] == "?" and word in {"C", "F"})  # 30 ?C
    before = text[max(start, mark - _REACH) : mark].split()
    if not before:
        return False
    token = before[-1].lstrip(_OPENING)
    kind = kind_of(token)
    if kind is None:
        if len(token) == 1 and token.isalpha():
            return not _is_all(token, text, start, mark) and _after_letter(before, word, after)
        if _NUMBER.fullmatch(token):
            return _after_number(text, start, mark, token, word, after)
        if token[-1:] in _COMPARISONS:  # p = .05
            return False
        if text[mark - 1].isspace() and token[-1:].isdigit() and word[:1].isdigit():
            return False  # E13 . 5, in tokens
        return not word[:1].islower() or _begins_small(token, word)
    if kind == "never":
        return False
    if _ITEM.match(after) or _HEADING.match(after):
        return True
    if kind == "often" or (len(before) > 1 and before[-2][-1].isdigit()):
        return word[:1].isupper()
    if kind == "seldom":
        return word[:1].isupper() and word.lower() in _OPENERS
    return not (word[:1].islower() or first.isdigit() or first in "([")


def kind_of(token: str) -> str | None:
    """Which kind of abbreviation a word is that a full stop follows; None for all others."""
    kind = _KINDS.get(token.lower())
    if kind is None:
        return "seldom" if "." in token and _INITIALS.fullmatch(token) else None
    if kind == "titles":
        return "never" if token[0].isupper() else None
    return kind


def _begins_small(token: str, word: str) -> bool:
    """Whether a word in small letters begins a sentence after an ordinary one."""
    if _SMALL_NAME.match(word):
        return True
    if word in _TYPED and len(token) > 1 and token.isalpha() and token.islower():
        return True
    return len(token) > 3 and ((token.isalpha() and token.islower()) or token[-1] in _CLOSING)


def _is_all(token: str, text: str, start: int, mark: int) -> bool:
    """Whether the sentence has nothing but this word so far: the number of a list's item."""
    return mark - start <= _REACH and text[start:mark].strip() == token


def _after_letter(before: list[str], word: str, after: str) -> bool:
    if word[:1].islower():
        return False
    previous = before[-2].lower().lstrip(_OPENING) if len(before) > 1 else ""
    if previous in _LETTERED or (before[-1].islower() and previous[-1:].isdigit()):
        return True
    return bool(_ITEM.match(after) or _HEADING.match(after)) or word.lower() in _OPENERS


def _after_number(text: str, start: int, mark: int, token: str, word: str, after: str) -> bool:
    if len(token) <= 2:
        if _is_all(token, text, start, mark):
            return False
        previous = text[max(start, mark - 12) : mark].rstrip()[: -len(token)].rstrip()[-1:]
        if (previous and previous in ",;") or (previous == ":" and token == "1"):
            return False
    if word[:1].isdigit():
        return bool(_ITEM.match(after)) or len(token) > 3
    return not word[:1].islower() or _SMALL_NAME.match(word) is not None
