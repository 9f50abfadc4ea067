"""Which cue reaches a mention: scopes as in ConText, the nearest cue decides.

A scope runs from its cue to the next terminator, to the end of the sentence, or as far as its rule
lets it. Cost grows with the number of cues and mentions, not with their product.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nlp.assertion.matching import Match
from nlp.assertion.rule import BACKWARD, BOTH, CATEGORIES, FORWARD, PSEUDO, TERMINATE, Value

Place = tuple[int, int]
"""The tokens of a mention: the first, and one past the last."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Tokens, counted in the direction of reading, in which a cue gives an attribute a value."""

    begin: int
    end: int
    value: Value
    match: Match


@dataclass(slots=True)
class _Claims:
    ahead: list[Claim] = field(default_factory=list)
    behind: list[Claim] = field(default_factory=list)


def decide(
    matches: Sequence[Match],
    breaks: Sequence[int],
    closing: Mapping[int, int],
    size: int,
    places: Sequence[Place],
) -> list[dict[str, Claim]]:
    """What cues say of mentions: for each mention, the deciding claim by attribute.

    A mention is modified where its first token is in the scope of a cue that begins before it, or
    its last token in that of a cue that ends after it. Words within a mention do not modify it,
    for they are part of its name: "effusion without loculation", "no fever". Nor is a mention
    modified by a cue of whose words it is a part: "if the pain persists".

    Args:
        matches: words of rules in a sentence, in order.
        breaks: tokens before which every scope ends, in order: where a section begins.
        closing: for tokens within brackets the one that closes them: a cue in brackets says
            nothing of what follows them.
        size: number of tokens of the sentence.
        places: the mentions.
    """
    said: list[dict[str, Claim]] = [{} for _ in places]
    for attribute, claims in _claims(matches, breaks, closing, size).items():
        ahead = _nearest(claims.ahead, [first for first, _ in places], places)
        behind = _nearest(claims.behind, [-last for _, last in places], places)
        for index, (first, last) in enumerate(places):
            claim = _nearer(ahead[index], behind[index], first, last)
            if claim is not None:
                said[index][attribute] = claim
    return said


def _claims(
    matches: Sequence[Match], breaks: Sequence[int], closing: Mapping[int, int], size: int
) -> Mapping[str, _Claims]:
    starts: dict[str, list[int]] = {}
    ends: dict[str, list[int]] = {}
    for match in matches:
        if match.rule.direction == TERMINATE:
            for category in match.rule.categories:
                starts.setdefault(category, []).append(match.first)
                ends.setdefault(category, []).append(match.last)
    claims: dict[str, _Claims] = defaultdict(_Claims)
    for match in matches:
        rule = match.rule
        if rule.direction in (PSEUDO, TERMINATE):
            continue
        reach = size if rule.max_tokens is None else rule.max_tokens
        for category in rule.categories:
            attribute, value = CATEGORIES[category]
            its = claims[attribute]
            if rule.direction in (FORWARD, BOTH):
                stop = min(
                    _from(starts.get(category, ()), match.last, size),
                    _from(breaks, match.last, size),
                    closing.get(match.first, size),
                    size if match.until is None else match.until,
                    match.last + reach,
                )
                its.ahead.append(Claim(match.first + 1, stop, value, match))
            if rule.direction in (BACKWARD, BOTH) and match.until is None:
                stop = max(
                    _until(ends.get(category, ()), match.first),
                    _until(breaks, match.first),
                    match.first - reach,
                )
                its.behind.append(Claim(1 - match.last, 1 - stop, value, match))
    return claims


def _from(places: Sequence[int], at: int, otherwise: int) -> int:
    """The first of the sorted places that is not before ``at``."""
    index = bisect_left(places, at)
    return places[index] if index < len(places) else otherwise


def _until(places: Sequence[int], at: int) -> int:
    """The last of the sorted places that is not after ``at``; else 0."""
    index = bisect_right(places, at)
    return places[index - 1] if index else 0


def _nearest(
    claims: Sequence[Claim], positions: Sequence[int], places: Sequence[Place]
) -> list[Claim | None]:
    """For each mention the claim that holds its position and begins last.

    A mention that is one of the cue's own words ("if the pain persists") is passed over.

    Claims come and go on a stack: one that ends no later than a later one can decide nothing more.
    """
    nearest: list[Claim | None] = [None] * len(positions)
    if not claims:
        return nearest
    waiting = sorted(claims, key=lambda claim: claim.begin)
    at = 0
    stack: list[Claim] = []
    for index in sorted(range(len(positions)), key=positions.__getitem__):
        position = positions[index]
        while at < len(waiting) and waiting[at].begin <= position:
            while stack and stack[-1].end <= waiting[at].end:
                stack.pop()
            stack.append(waiting[at])
            at += 1
        while stack and stack[-1].end <= position:
            stack.pop()
        first, last = places[index]
        for claim in reversed(stack):  # few: cues overlap by a few words at most
            if claim.match.first > first or claim.match.last < last:
                nearest[index] = claim
                break
    return nearest


def _nearer(ahead: Claim | None, behind: Claim | None, first: int, last: int) -> Claim | None:
    """Of a cue before a mention and one after it, the one with fewer tokens between."""
    if ahead is None or behind is None:
        return ahead or behind
    return ahead if first - ahead.match.last <= behind.match.first - last else behind
