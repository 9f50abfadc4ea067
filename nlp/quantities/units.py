"""Units as they are written, and what they become in base units.

Factors come from pint (https://pint.readthedocs.io), asked once per unit and process: a call of
pint takes a thousand times as long as a multiplication.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from nlp.quantities.vocabulary import Unit, read_names, read_units

if TYPE_CHECKING:
    import pint

_ONE = Unit("1", "one", "1")

DIGITS = 10
"""Significant digits of converted values."""


@dataclass(frozen=True, slots=True)
class WrittenUnit:
    """A unit as a text has it: its UCUM code, its signature (``mass/volume``) and where it ends."""

    code: str
    signature: str
    end: int


@dataclass(frozen=True, slots=True)
class Conversion:
    """Base value = value * factor + offset, in ``unit``."""

    factor: float
    offset: float
    unit: str

    def apply(self, value: float | None) -> float | None:
        """A value in the base unit."""
        if value is None:
            return None
        return float(f"{value * self.factor + self.offset:.{DIGITS}g}")


def match_unit(text: str, start: int) -> WrittenUnit | None:
    """The unit that begins at ``start``, the longest one."""
    pattern, units, below = _grammar()
    match = pattern.match(text, start)
    if match is None:
        return None
    first = _lookup(units, match["first"])
    if first is None:
        return None
    parts, end = [first], match.end("first")
    for group in ("second", "third"):
        part = _lookup(below, match[group]) if match[group] else None
        if part is None or first.dimension == "time":  # 30 minutes a day is 30 minutes
            break
        if group == "second" and _tells_how_often(text[end : match.start(group)], match[group]):
            break
        parts.append(part)
        end = match.end(group)
    if [part.code for part in parts] == ["[iU]", "L"] and match["first"][0] not in "iI":
        parts[0] = read_units().by_code["U"]
    if first.dimension == "time" and match["first"] in read_names().by_spelling:
        return None  # 20 HR: 72
    if len(parts) == 1 and not {key := _key(match["first"]), key.lower()} & _whole():
        return None
    return WrittenUnit(
        "/".join(part.code for part in parts), "/".join(part.dimension for part in parts), end
    )


@cache
def conversion(code: str, kind: str) -> Conversion | None:
    """How to get from a unit to the base unit of its kind; None for an unknown unit."""
    parts = _parts(code)
    if parts is None:
        return None
    units = read_units()
    signature = "/".join(part.dimension for part in parts)
    bases = units.base.get(signature)
    base: list[Unit] | None
    if bases is not None:
        base = _parts(bases.get(kind, bases["default"]))
    else:
        base = [_default_base(part, index, kind) for index, part in enumerate(parts)]
    if base is None:
        return None
    factor, offset = 1.0, 0.0
    for index, (part, target) in enumerate(zip(parts, base, strict=True)):
        if part.code == target.code:
            continue
        scale, shift = _scale(part, target)
        factor = factor / scale if index else factor * scale
        offset += shift
    below = "/" if base[0] is _ONE else ""
    return Conversion(
        factor, offset, below + "/".join(part.code for part in base).removeprefix("1/")
    )


def _tells_how_often(per: str, unit: str) -> bool:
    """Whether 25 mg a day is an amount and a frequency, unlike 25 mg/day and 2 mg per hour."""
    in_words = any(map(str.isalpha, per))
    return in_words and unit.lower() in ("day", "days", "week", "weeks", "wk", "month", "months")


def _default_base(part: Unit, index: int, kind: str) -> Unit:
    units = read_units()
    below = units.base_below.get(part.dimension) if index else None
    bases = units.base.get(part.dimension, {})
    code = below or bases.get(kind) or bases.get("default") or part.code
    return units.by_code[code]


def _parts(code: str) -> list[Unit] | None:
    """The simple units of a code; those of ``/wk`` are one and a week."""
    by_code = read_units().by_code
    if code in by_code:
        return [by_code[code]]
    names = code.split("/")
    found = [_ONE if not name else by_code.get(name) for name in names]
    return None if None in found else [part for part in found if part is not None]


@cache
def _registry() -> pint.UnitRegistry[Any]:
    import pint  # takes half a second, with its registry

    return pint.UnitRegistry()


def _scale(unit: Unit, base: Unit) -> tuple[float, float]:
    """Factor and offset by pint."""
    if unit.pint is None or base.pint is None:
        raise ValueError(f"no factor from {unit.code} to {base.code} in units.toml")
    registry = _registry()
    if unit.dimension == "temperature":
        zero, hundred = (registry.Quantity(at, unit.pint).to(base.pint).m for at in (0.0, 100.0))
        return (hundred - zero) / 100, zero
    ratio = registry.parse_expression(unit.pint) / registry.parse_expression(base.pint)
    factor = registry.Quantity(ratio).to("dimensionless").m
    return float(f"{factor:.{DIGITS + 4}g}"), 0.0


# ---------------------------------------------------------------- reading


def _key(spelling: str) -> str:
    """A spelling without white space; capitals stay, since some spellings need them."""
    return "".join(spelling.split())


@cache
def _whole() -> frozenset[str]:
    return frozenset(_key(spelling) for spelling in read_units().whole)


def _lookup(units: dict[str, Unit], spelling: str) -> Unit | None:
    key = _key(spelling)
    return units.get(key) or units.get(key.lower())


@cache
def _grammar() -> tuple[re.Pattern[str], dict[str, Unit], dict[str, Unit]]:
    """The pattern of a unit, and units by key above and below a slash."""
    units = read_units()
    above = any_of(units.before_slash)
    below = any_of(units.after_slash)
    per = r"\s?(?:/|\bper\b|\ban?\b(?!\s\w+\s(?:ago|later|prior|before|after))|\bevery\b)\s?"
    pattern = re.compile(
        rf"(?P<first>{above})(?:{per}(?P<second>{below})(?!\w)(?:{per}(?P<third>{below})(?!\w))?)?"
        r"(?![^\W\d_]|\d)",
        re.IGNORECASE,
    )
    return (
        pattern,
        {_key(spelling): unit for spelling, unit in units.before_slash.items()},
        {_key(spelling): unit for spelling, unit in units.after_slash.items()},
    )


def any_of(spellings: Iterable[str]) -> str:
    """A pattern of any spelling, the longest first; spaces may be missing, or be line ends."""
    longest_first = sorted(spellings, key=len, reverse=True)
    return "|".join(r"\s?".join(map(re.escape, s.split(" "))) for s in longest_first)
