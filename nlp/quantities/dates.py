"""Dates: by figures, by the month's name, years alone."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
_NUMBER_OF = {
    **{name: number for number, name in enumerate(_MONTHS, 1)},
    **{name[:3]: number for number, name in enumerate(_MONTHS, 1)},
    "sept": 9,
}
_CENTURY_TURNS = 50
"""Years of two figures below it are of this century."""


def _month_names() -> str:
    """Names with a capital or in capitals: may and march are words, too."""
    names = [name for name in _NUMBER_OF if name != "may"]
    spelt = [s for name in names for s in (name.title(), name.upper())]
    return "|".join(sorted(spelt, key=len, reverse=True)) + "|May|MAY"


MONTH = rf"(?-i:{_month_names()})"
_YEAR = r"(?:1[89]|20|21)\d\d"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])"
_ORDINAL = r"(?:st|nd|rd|th)?"

_BY_FIGURES = re.compile(
    rf"(?P<y1>{_YEAR})(?P<s1>[-/.])(?P<m1>\d\d?)(?P=s1)(?P<d1>\d\d?)(?![\d/]|[-.]\d)"
    rf"|(?P<a>\d\d?)(?P<s2>[-/.])(?P<b>\d\d?)(?P=s2)(?P<y2>{_YEAR}|\d\d)(?![\d/%]|[-.]\d)"
    rf"|(?P<m3>0?[1-9]|1[0-2])/(?P<y3>{_YEAR})(?![\d/]|[-.]\d)"
    rf"|(?P<d4>{_DAY}){_ORDINAL}[ ]?(?:of[ ])?[- ]?(?P<n4>{MONTH})\b\.?"
    rf"(?:,?[ -]{{1,2}}(?P<y4>{_YEAR})\b)?",
    re.IGNORECASE,
)
_BY_NAME = re.compile(
    rf"(?P<n>{MONTH})\b\.?(?:"
    rf"[ ]{{1,2}}(?P<d>{_DAY}){_ORDINAL}(?![\w/]|\.\d)"
    rf"(?:(?:,[ ]{{0,2}}|[ ]{{1,2}})(?P<y>{_YEAR})\b)?"
    rf"|(?:,?[ ]{{1,2}}|[ ]of[ ]|-)(?P<y5>{_YEAR})\b)",
    re.IGNORECASE,
)
_BEFORE_YEAR = re.compile(
    r"\b(?:in|since|until|till|by|from|during|circa|early|late|mid|about|around|fall|spring|summer|"
    r"winter|year|before|after)(?: of)?(?: the)?(?: year)?[ ]$",
    re.IGNORECASE,
)
_YEAR_ALONE = re.compile(
    rf"{_YEAR}(?![\w/%]|[-.,]\d|[ ](?:mg|ml|cc|calor|kcal|unit))", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Found:
    """A date: its end, the day where the text gives all of it, and the year where it has one."""

    end: int
    date: datetime.date | None
    year: int | None


def match_date(text: str, start: int) -> Found | None:
    """The date that begins at ``start`` with a figure."""
    match = _BY_FIGURES.match(text, start)
    if match is None:
        return _match_year(text, start)
    if match["y1"]:
        return _found(match.end(), int(match["y1"]), int(match["m1"]), int(match["d1"]))
    if match["a"]:
        separator, year = match["s2"], _full_year(match["y2"])
        if len(match["y2"]) == 2 and separator == ".":  # 1.2.10 is a heading's number
            return None
        first, second = int(match["a"]), int(match["b"])
        if first > 12 >= second:  # the day first, as elsewhere than in the US
            first, second = second, first
        return _found(match.end(), year, first, second)
    if match["y3"]:
        return Found(match.end(), None, int(match["y3"]))
    year4 = int(match["y4"]) if match["y4"] else None
    return _found(match.end(), year4, _NUMBER_OF[match["n4"].lower()], int(match["d4"]))


def match_month(text: str, start: int) -> Found | None:
    """The date that begins at ``start`` with a month's name; a month alone is none."""
    match = _BY_NAME.match(text, start)
    if match is None:
        return None
    if match["y5"]:
        return Found(match.end(), None, int(match["y5"]))
    year = int(match["y"]) if match["y"] else None
    return _found(match.end(), year, _NUMBER_OF[match["n"].lower()], int(match["d"]))


def _match_year(text: str, start: int) -> Found | None:
    match = _YEAR_ALONE.match(text, start)
    if match is None or not _BEFORE_YEAR.search(text[max(0, start - 24) : start]):
        return None
    return Found(match.end(), None, int(match[0]))


def _found(end: int, year: int | None, month: int, day: int) -> Found | None:
    """None where the calendar has no such day."""
    try:
        date = datetime.date(2000 if year is None else year, month, day)
    except ValueError:
        return None
    return Found(end, None if year is None else date, year)


def _full_year(written: str) -> int:
    year = int(written)
    if len(written) == 4:
        return year
    return year + (2000 if year < _CENTURY_TURNS else 1900)
