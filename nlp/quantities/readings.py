"""Numbers with their units: 5-10 mg, 3 x 4 cm, 5/325 mg, 5 feet 4 inches, 120/80."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from nlp.quantities.numbers import NUMBER, read_number
from nlp.quantities.units import WrittenUnit, match_unit

_NUMBER = re.compile(NUMBER, re.IGNORECASE)
_TO = re.compile(r"(?:-\s(?:to|or)\b|\s?(?:-|–|—|\bto\b|\bor\b))\s?", re.IGNORECASE)
_BY = re.compile(r"\s?(?:x|×|\bby\b)\s?", re.IGNORECASE)
_PLUS_MINUS = re.compile(r"\s?(?:\+\s?/\s?[-–]|±)\s?")
_AND = re.compile(r"\sand\s", re.IGNORECASE)
_GAP = re.compile(r"[ \n]{0,2}-?[ ]?")
_FEET = re.compile(
    r"(?P<feet>[3-8])(?:[ -]?(?:feet|foot|ft)\b\.?|\s?['’′])[ ,]{0,2}(?:and[ ])?"
    r"(?P<inches>\d{1,2}(?:\.\d{1,2}|[ -][1-3]/[2-4])?)"
    r"(?:[ -]?(?:inch(?:es)?\b|in\b\.?(?!\s[a-z]))|\s?(?:''|[\"”″])|(?![\w'\"]))",
    re.IGNORECASE,
)
_POUNDS = re.compile(
    r"(?P<pounds>\d{1,2})[ -]?(?:pounds?|lbs?)\b\.?[ ,]{0,2}(?:and[ ])?(?P<ounces>\d{1,2}(?:\.\d)?)"
    r"[ -]?(?:ounces?|oz)\b",
    re.IGNORECASE,
)
_PRESSURE = re.compile(
    r"(?P<high>\d{2,3})s?(?:\s?/\s?|\sover\s)(?P<low>\d{2,3})s?(?![\d/.,]\d|\d)"
    r"(?P<unit>\s?mm\s?hg\b)?",
    re.IGNORECASE,
)
_AGE = re.compile(
    rf"(?P<n>{NUMBER})(?:(?:\s?-\s?|\s(?:to|or)\s)(?P<m>{NUMBER}))?(?:\s?-\s?|\s{{0,2}})(?:(?P<u>years?|yrs?|y|months?|mos?|m|weeks?|wks?|days?)\.?"
    r"(?:\s?-\s?|\s)(?:olds?\b|of\sage\b)|(?P<yo>y\s?/\s?o\b|y\.\s?o\.?(?!\w)|yo\b))",
    re.IGNORECASE,
)
_CHANGE = re.compile(
    r"\b(?:rose|rise|risen|fell|fall|fallen|dropp?(?:ed)?|went|gone|came|up|down|"
    r"(?:increas|decreas|improv|reduc|chang|titrat|taper)(?:e|ed|ing)?)\b[^.;,]{0,40}\bfrom\s$",
    re.IGNORECASE,
)
_BEFORE_CHANGE = 64
"""Characters before a number that may tell of a change."""
_COMBINED = 10.0
"""Where the second number is so many times the first, 5-325 mg is two drugs, no range."""
_MOST_SIDES = 3
_AGE_UNITS = {"y": "a", "m": "mo", "w": "wk", "d": "d"}


@dataclass(frozen=True, slots=True)
class Part:
    """A number, from ``value`` to ``high``, and its range in the text."""

    start: int
    end: int
    value: float
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One or more numbers with one unit, or a number without."""

    parts: tuple[Part, ...]
    unit: WrittenUnit | None

    @property
    def end(self) -> int:
        """One past the last character."""
        return self.parts[-1].end

    def without_unit(self, text: str) -> Reading:
        """The numbers alone, where the unit is one letter behind the last of them."""
        last = self.parts[-1]
        end = last.start + len(text[last.start : last.end - 1].rstrip(" \n-"))
        return Reading((*self.parts[:-1], replace(last, end=end)), None)


def match_reading(text: str, start: int, *, apart: bool = False) -> Reading | None:
    """The number that begins at ``start``, with what belongs to it.

    A range is one part, and so is a mean with its deviation, which is not kept. Sides (3 x 4 cm)
    and the amounts of a combined drug (5/325 mg) are several. So are the numbers of what looks like
    a range, where they are told ``apart``: 1 to 2 mg is a range, from 1 to 2 mg may be a change.
    """
    if compound := _match_compound(text, start):
        return compound
    first = _NUMBER.match(text, start)
    if first is None:
        return None
    value = read_number(first[0])
    unit = _unit_after(text, first.end())
    end = unit.end if unit else first.end()
    if spread := _PLUS_MINUS.match(text, end):
        deviation = _NUMBER.match(text, spread.end())
        if deviation and (other := _unit_after(text, deviation.end()) or unit):
            end = max(other.end, deviation.end())
            return Reading((Part(start, end, value),), other)
    if to := _TO.match(text, end):
        second = _NUMBER.match(text, to.end())
        other = _unit_after(text, second.end()) if second else None
        if second and other and (unit is None or unit.code == other.code):
            return _range(Part(start, end, value), second, other, apart)
        if second and unit is None and second[0][0].isdigit() and first[0][0].isdigit():
            high = read_number(second[0])
            if value < high and not apart:
                return Reading((Part(start, second.end(), value, high),), None)
    by = _BY.match(text, end) or (None if unit else _AND.match(text, end))
    if by:
        sides = _match_sides(text, start, value, end, by.end())
        if sides:
            return sides
    if unit is None and text.startswith("/", end):
        return _match_slashed(text, start, value, end) or Reading((Part(start, end, value),), None)
    return Reading((Part(start, end, value),), unit)


def is_change(text: str, start: int) -> bool:
    """Whether the number at ``start`` is the first of a change: rose from 0.9 to 1.4."""
    if text[max(0, start - 5) : start - 1].lower() != "from":
        return False
    return _CHANGE.search(text, max(0, start - _BEFORE_CHANGE), start) is not None


def match_age(text: str, start: int) -> tuple[Part, str] | None:
    """An age at ``start`` and the code of its unit: 64-year-old, 75 y.o."""
    match = _AGE.match(text, start)
    if match is None:
        return None
    unit = "a" if match["yo"] else _AGE_UNITS[match["u"][0].lower()]
    high = read_number(match["m"]) if match["m"] else None
    return Part(start, match.end(), read_number(match["n"]), high), unit


def match_pressure(text: str, start: int) -> tuple[Part, bool] | None:
    """A blood pressure at ``start`` (systolic to diastolic), and whether its unit is written."""
    match = _PRESSURE.match(text, start)
    if match is None:
        return None
    systolic, diastolic = float(match["high"]), float(match["low"])
    if not (50 <= systolic <= 300 and 15 <= diastolic <= 200 and diastolic < systolic):
        return None
    return Part(start, match.end(), systolic, diastolic), bool(match["unit"])


def _match_compound(text: str, start: int) -> Reading | None:
    """Feet with inches, in inches; pounds with ounces, in ounces."""
    for pattern, times, code in ((_FEET, 12.0, "[in_i]"), (_POUNDS, 16.0, "[oz_av]")):
        if match := pattern.match(text, start):
            value = float(match[1]) * times + read_number(match[2])
            signature = "length" if times == 12.0 else "mass"
            part = Part(start, match.end(), value)
            return Reading((part,), WrittenUnit(code, signature, match.end()))
    return None


def _range(first: Part, second: re.Match[str], unit: WrittenUnit, apart: bool) -> Reading:
    low, high = first.value, read_number(second[0])
    is_combined = unit.signature == "mass" and low > 0 and high / low > _COMBINED
    if low < high and not (apart or is_combined):
        return Reading((Part(first.start, unit.end, low, high),), unit)
    return Reading((first, Part(second.start(), unit.end, high)), unit)


def _match_sides(text: str, start: int, value: float, end: int, after: int) -> Reading | None:
    """Sides of a body: each number a part, all with the unit of the last one."""
    parts, unit = [Part(start, end, value)], None
    while len(parts) < _MOST_SIDES and (number := _NUMBER.match(text, after)):
        unit = _unit_after(text, number.end())
        end = unit.end if unit else number.end()
        parts.append(Part(number.start(), end, read_number(number[0])))
        by = _BY.match(text, end)
        if by is None:
            break
        after = by.end()
    if unit is None or unit.signature != "length":
        return None
    return Reading(tuple(parts), unit)


def _match_slashed(text: str, start: int, value: float, end: int) -> Reading | None:
    """Half a tablet, or the amounts of two drugs in one."""
    number = _NUMBER.match(text, end + 1)
    unit = _unit_after(text, number.end()) if number else None
    if number is None or unit is None:
        return None
    second = read_number(number[0])
    if unit.signature == "mass":
        return Reading((Part(start, end, value), Part(number.start(), unit.end, second)), unit)
    if value < second <= 4:
        return Reading((Part(start, unit.end, value / second),), unit)
    return None


def _unit_after(text: str, position: int) -> WrittenUnit | None:
    if unit := match_unit(text, position):
        return unit
    gap = _GAP.match(text, position)
    return match_unit(text, gap.end()) if gap and gap.end() > position else None
