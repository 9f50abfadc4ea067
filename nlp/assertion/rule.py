"""A rule, and the restricted patterns in which its words are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nlp.assertion.result import FAMILY, OTHER, PATIENT
from nlp.assertion.tokens import tokenize

FORWARD, BACKWARD, BOTH = "forward", "backward", "both"
PSEUDO, TERMINATE = "pseudo", "terminate"
DIRECTIONS = (FORWARD, BACKWARD, BOTH, PSEUDO, TERMINATE)

Value = bool | str

CATEGORIES: dict[str, tuple[str, Value]] = {
    "negated": ("negated", True),
    "uncertain": ("uncertain", True),
    "historical": ("historical", True),
    "current": ("historical", False),
    "hypothetical": ("hypothetical", True),
    "family": ("experiencer", FAMILY),
    "other": ("experiencer", OTHER),
    "patient": ("experiencer", PATIENT),
}
"""What a rule may set: the attribute and its value.

``current`` and ``patient`` say the plain value outright, against a section's default or a cue
farther away.
"""

ANY_WORD, ANY_NUMBER = "*", "#"
"""In a pattern: one word, whatever it is; one number."""

Phrase = tuple[str, ...]
"""Tokens."""

_PIECE = re.compile(r"\(([^()]*)\)(\?)?(?!\S)|([^\s()]+)")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a pattern: its wordings, of which one stands in the text, or none if optional."""

    wordings: tuple[Phrase, ...]
    optional: bool = False


class PatternError(ValueError):
    """A pattern cannot be understood; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """Words that set attributes of the mentions around them, or that keep others from it.

    Attributes:
        id: names the rule in ``assertion_cues``.
        patterns: its words.
        direction: where the mentions are that it modifies; ``pseudo`` blocks the cues within its
            words, ``terminate`` ends the scopes of others.
        categories: keys of :data:`CATEGORIES`: what it sets, or, of a terminator, which scopes
            it ends.
        max_tokens: its scope is at most so many words and marks; None = to the end.
    """

    id: str
    patterns: tuple[str, ...]
    direction: str
    categories: tuple[str, ...]
    max_tokens: int | None = None


def parse_pattern(pattern: str) -> tuple[Piece, ...]:
    """The pieces of a pattern.

    ``(a|b c)`` is one of several wordings, ``(a)?`` one that may be missing, ``*`` any one word
    and ``#`` any one number; all else is literal, whatever its case. White space alone is a break.

    Raises:
        PatternError: it cannot be understood, or would match without a word of its own.
    """
    pieces: list[Piece] = []
    position = 0
    for match in _PIECE.finditer(pattern):
        if pattern[position : match.start()].strip():
            break
        position = match.end()
        group, optional, literal = match.groups()
        wordings = [literal] if group is None else group.split("|")
        pieces.append(Piece(tuple(map(_tokens, wordings)), bool(optional)))
    if pattern[position:].strip():
        raise PatternError("parentheses do not match, or something is glued to them")
    if not pieces:
        pieces.append(Piece((_tokens(pattern),)))
    if any(not wording for piece in pieces for wording in piece.wordings):
        raise PatternError("it, or a wording in it, is empty")
    if all(piece.optional for piece in pieces):
        raise PatternError("all of it may be missing")
    if any(wording[0] == ANY_WORD for wording in _first(pieces)):
        raise PatternError("it must not begin with any word")
    return tuple(pieces)


def _first(pieces: list[Piece]) -> Iterator[Phrase]:
    """The wordings that a pattern may begin with."""
    for piece in pieces:
        yield from piece.wordings
        if not piece.optional:
            return


def _tokens(wording: str) -> Phrase:
    return tuple(word for word, _, _ in tokenize(wording))
