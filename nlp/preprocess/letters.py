"""What a short form asks of its long form: letters, figures and signs, and the order they go in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

NEVER = float("inf")

# Costs of what the long form need not have.
_NO_FIGURE = 1.5
_NO_SIGN = 0.3
_NO_PLURAL = 0.3

# Costs of other orders of the letters.
_LAST_FIRST = 1.5
"""AHC, congenital adrenal hypoplasia."""
_FIGURES_FIRST = 1.0
"""IP3, inositol trisphosphate."""
_NOTATION = 0.5
"""V(T), tidal volume; ICl, chloride current; [Ca2+]i, intracellular Ca2+ concentration."""

_SUBSCRIPT = re.compile(r"(?P<last>[A-Z])\((?P<first>[A-Za-z])\)")
_CURRENT = re.compile(r"(?P<last>I)(?P<middle>[A-Z][a-z]?)(?P<first>\(?[A-Z]\)?)?")
_CONCENTRATION = re.compile(r"(?P<last>\[)(?P<middle>.+)\](?P<first>[a-z])")

_GREEK_NAMES = """
    alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma
    tau upsilon phi chi psi omega
"""
_GREEK_NAME = re.compile(
    rf"(?:{'|'.join(name for name in _GREEK_NAMES.split() if len(name) > 3)})(?![^\W\d_])"
)
_GREEK = str.maketrans(
    "αβγδεζηθικλμνξοπρστυφχψως\N{MICRO SIGN}",
    "".join(name[0] for name in _GREEK_NAMES.split()) + "sm",
)
"""Greek letters as the Latin ones that their names begin with."""

_PLURAL = re.compile(r"[A-Z0-9)]s\Z")


class Unit(NamedTuple):
    """One letter, figure or sign of a short form, and the cost of doing without it."""

    letter: str
    without: float

    @property
    def is_needed(self) -> bool:
        """Whether no long form does without it."""
        return self.without == NEVER


Units = tuple[Unit, ...]


def folded(text: str) -> str:
    """Lower case, Greek letters as initials of their names, character by character."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(c if len(c.lower()) != 1 else c.lower() for c in text)
    return lower if lower.isascii() else lower.translate(_GREEK)


@lru_cache(maxsize=4096)
def units_of(short: str) -> Units:
    """The letters and figures of a short form, with the sign that it ends with, in order.

    Names of Greek letters count as one letter. A small s after capitals may be the plural's.
    """
    letters = _GREEK_NAME.sub(lambda name: name[0][0], folded(short))
    units = [Unit(c, _NO_FIGURE if c.isdigit() else NEVER) for c in letters if c.isalnum()]
    if _PLURAL.search(short) and sum(unit.is_needed for unit in units) > 1:
        units[-1] = units[-1]._replace(without=_NO_PLURAL)
    if (last := short.rstrip(")]")[-1:]) in {"+", "-"}:
        units.append(Unit(last, _NO_SIGN))
    return tuple(units)


def weight_of(short: str) -> int:
    """How many letters speak for a long form; figures count too, beside two letters at least."""
    units = units_of(short)
    letters = sum(unit.letter.isalpha() for unit in units)
    figures = sum(unit.letter.isdigit() for unit in units)
    return letters + figures if letters > 1 else letters


def other_orders(short: str) -> Iterator[tuple[Units, float]]:
    """Orders in which the letters of a short form may be meant instead, and what each costs."""
    units = units_of(short)
    if len(units) > 2 and units[-1].is_needed:
        yield (units[-1], *units[:-1]), _LAST_FIRST
    if any(unit.without == _NO_FIGURE for unit in units[1:]):
        yield _figures_first(units), _FIGURES_FIRST
    if subscript := _SUBSCRIPT.fullmatch(short):
        yield (*units_of(subscript["first"]), *units_of(subscript["last"])), _NOTATION
    if notation := _CURRENT.fullmatch(short) or _CONCENTRATION.fullmatch(short):
        first, middle = units_of(notation["first"] or ""), units_of(notation["middle"])
        yield (*first, *middle, Unit(notation["last"].lower(), NEVER)), _NOTATION


def _figures_first(units: Units) -> Units:
    """Each figure before the letter it follows: P3 as in trisphosphate."""
    ordered: list[Unit] = []
    for unit in units:
        if unit.without == _NO_FIGURE and ordered and ordered[-1].is_needed:
            ordered.insert(-1, unit)
        else:
            ordered.append(unit)
    return tuple(ordered)
