"""How well a short form fits the words beside its bracket: the cheapest alignment of its letters.

Every letter of the short form stands for a letter of the long form, in order, as in Schwartz and
Hearst (2003, doi:10.1142/9789812776303_0042). Where several letters could be meant, Ab3P (Sohn et
al. 2008, doi:10.1186/1471-2105-9-402) tries rules from the most to the least reliable: first
letters of words, then of parts of words, then letters within words, then words passed over. Here
each of these has a cost, and dynamic programming finds the alignment of the least sum, which also
says where the long form begins. Time is proportional to the letters of the short form times those
of the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nlp.preprocess.letters import NEVER, Units, folded, other_orders, units_of
from nlp.preprocess.places import STAND_INS, Place, Words, ends_with_initials, read_words

_NEXT_LETTER = 0.5
"""Cost of the letter after the one before, wherever in a word."""


class Alignment(NamedTuple):
    """Where the long form begins in the text aligned to, and what its letters cost together."""

    start: int
    cost: float


class _Reach(NamedTuple):
    """A place of one letter, and the least cost from there to the end of the text."""

    place: Place
    cost: float


def align(short: str, before: str) -> Alignment | None:
    """The cheapest alignment of a short form with the end of a text; None where there is none.

    Of equally cheap ones the shortest long form counts. It begins where a word or a part of one
    begins, and ends where the text ends.
    """
    units = units_of(short)
    if not any(unit.is_needed for unit in units):
        return None
    if all(unit.is_needed for unit in units):
        start = ends_with_initials(before, "".join(unit.letter for unit in units))
        if start is not None:
            return Alignment(start, 0.0)
    if not _may_hold(folded(before), units):
        return None
    orders = [(units, 0.0), *other_orders(short)]
    words = read_words(before, frozenset(unit.letter for order, _ in orders for unit in order))
    best: Alignment | None = None
    for order, extra in orders:
        if best and best.cost <= extra:
            continue
        found = _cheapest(order, words)
        if found and (best is None or found.cost + extra < best.cost):
            best = Alignment(found.start, found.cost + extra)
    return best


def _may_hold(text: str, units: Units) -> bool:
    """Whether a text has all letters that are needed; most brackets fail, at little cost."""
    return all(unit.letter in text or unit.letter in STAND_INS for unit in units if unit.is_needed)


def _cheapest(units: Units, words: Words) -> Alignment | None:
    reached: list[_Reach] = []
    to_end = 0.0  # cost of doing without all units so far: the next may be the last letter
    for unit in reversed(units):
        here = _step(words.places[unit.letter], reached, to_end, words)
        if unit.is_needed:
            to_end = NEVER
            if not here:
                return None
        else:
            here += [_Reach(place, cost + unit.without) for place, cost in reached]
            here.sort(key=lambda reach: reach.place.position)
            to_end += unit.without
        reached = here
    best = Alignment(0, NEVER)
    for place, cost in reached:
        if cost + place.begin <= best.cost:
            best = Alignment(place.position, cost + place.begin)
    return best if best.cost < NEVER else None


def _step(
    places: Sequence[Place], reached: Sequence[_Reach], to_end: float, words: Words
) -> list[_Reach]:
    """Costs from each place of one letter to the end, given those of the letter after it.

    One sweep from the right: ``same`` is the least cost through a later letter of the same word,
    ``entering`` through one as the first of its word, ``others`` through words further on.

    Args:
        places: of the letter, in text order.
        reached: those of the letter after it, in text order.
        to_end: cost of this letter being the last one.
        words: the text.
    """
    skip, trail = words.skip, words.trail
    here: list[_Reach] = []
    others = entering = same = following_cost = NEVER
    word = following = -1
    left = len(reached) - 1
    for place in reversed(places):
        while left >= 0 and reached[left].place.position > place.position:
            after, cost = reached[left]
            if after.word != word:
                others, entering, same = min(others, entering), NEVER, NEVER
                word = after.word
            same = min(same, cost + after.go_on)
            entering = min(entering, cost + after.enter + skip[after.word])
            if after.position != following or cost < following_cost:
                following, following_cost = after.position, cost
            left -= 1
        passed = skip[place.word + 1]
        if word == place.word:
            best = min(same, others - passed)
            if following == place.position + 1:
                best = min(best, following_cost + _NEXT_LETTER)
        else:
            best = min(others, entering) - passed
        best = min(best, to_end + trail[place.word + 1])
        if best < NEVER:
            here.append(_Reach(place, best))
    here.reverse()
    return here
