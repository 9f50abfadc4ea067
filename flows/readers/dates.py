"""Dates as sources write them."""

from __future__ import annotations

import re
from datetime import date, datetime

_TIME = r"(?:[T ].*)?"
_ISO = re.compile(rf"(\d{{4}})[-/](\d{{1,2}})[-/](\d{{1,2}}){_TIME}", re.DOTALL)
_COMPACT = re.compile(rf"(\d{{4}})(\d\d)(\d\d){_TIME}", re.DOTALL)
_AMERICAN = re.compile(rf"(\d{{1,2}})/(\d{{1,2}})/(\d{{4}}){_TIME}", re.DOTALL)
_MONTH_ONLY = re.compile(r"(\d{4})-(\d{1,2})")
_YEAR_ONLY = re.compile(r"\d{4}")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SEASONS = {"winter": 1, "spring": 4, "summer": 7, "fall": 10, "autumn": 10}


def parse_date(value: object) -> date | None:
    """The date a table's cell states, or ``None`` where it states none that is understood.

    Understood are dates and datetimes, ``2150-01-31``, ``2150/1/31``, ``20150131``,
    ``01/31/2150`` (month first), each with or without a time, and ``2150-01`` and ``2150``
    (their first day).
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    string = str(value).strip()
    if match := _ISO.fullmatch(string) or _COMPACT.fullmatch(string):
        year, month, day = match.groups()
    elif match := _AMERICAN.fullmatch(string):
        month, day, year = match.groups()
    elif match := _MONTH_ONLY.fullmatch(string):
        year, month, day = match[1], match[2], "1"
    elif _YEAR_ONLY.fullmatch(string):
        year, month, day = string, "1", "1"
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def publication_date(year: str | None, month: str | None, day: str | None) -> date | None:
    """A publication date of which only the year must be known.

    ``month`` is a number, an English name or a season (winter, spring, summer and fall begin in
    January, April, July and October); what is missing or makes no date counts as the first.
    """
    if not year or not _YEAR_ONLY.fullmatch(year.strip()):
        return None
    number = _month_number((month or "").strip().lower())
    for month_number, day_string in ((number or 1, day if number else None), (number or 1, None)):
        try:
            return date(int(year), month_number, int(day_string or 1))
        except ValueError:
            continue
    return None


def medline_date(string: str) -> date | None:
    """The first day named by a ``MedlineDate``: ``2000 Spring``, ``1998 Dec-1999 Jan``."""
    years = re.search(r"\d{4}", string)
    if years is None:
        return None
    words = re.findall(r"[A-Za-z]+|\d+", string[years.end() :])
    month = words[0] if words and not words[0].isdigit() else None
    day = words[1] if month and len(words) > 1 and len(words[1]) <= 2 else None
    return publication_date(years[0], month, day)


def _month_number(month: str) -> int | None:
    if month.isdecimal():
        return int(month) if 1 <= int(month) <= 12 else None
    if month[:3] in _MONTHS:
        return _MONTHS.index(month[:3]) + 1
    return _SEASONS.get(month)
