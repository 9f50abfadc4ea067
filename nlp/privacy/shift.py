"""Dates moved by a number of days and written as they were."""

from __future__ import annotations

import re
from datetime import date, timedelta

from nlp.privacy import date_forms

_FORMS = tuple(date_forms.compiled(form) for form in date_forms.WRITTEN)
_WITH_TIME = re.compile(
    rf"(?P<date>.{{6,40}}?)(?P<time>{date_forms.TIME}|(?<=\d{{8}}){date_forms.COMPACT_TIME})"
)
_ANY_YEAR = 2001
"""Stands for a year that is not written: it has no 29 February."""


def shift_date(written: str, days: int) -> str | None:
    """The date so many days later, in the same form; None where it is no date that can be read.

    A month without a day is moved from its 15th. Without a year, 2001 stands for it. 02/03/2019 is
    read as the American 3 February; 23/03/2019 can only be 23 March. A weekday becomes that of the
    new date, if a year is written. A two-digit year of 50 or more is of the 1900s. A time of day
    behind the date stays.
    """
    for form in _FORMS:
        match = form.fullmatch(written)
        if match is not None:
            return _shifted(match, days)
    timed = _WITH_TIME.fullmatch(written)
    if timed is None:
        return None
    moved = shift_date(timed["date"], days)
    return moved + timed["time"] if moved else None


def _shifted(match: re.Match[str], days: int) -> str | None:
    groups = match.groupdict()
    year, short = _year(groups)
    swapped = False
    month = (
        date_forms.month_number(groups["mon"]) if groups.get("mon") else int(groups.get("m") or 0)
    )
    day = int(groups.get("d") or 15)
    if month > 12 >= day:
        month, day, swapped = day, month, True
    try:
        moved = date(year or _ANY_YEAR, month, day) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    names = {"m": "d", "d": "m"} if swapped else {"m": "m", "d": "d"}
    new: dict[str, str] = {}
    for group in ("m", "d"):
        if old := groups.get(group):
            value = moved.month if names[group] == "m" else moved.day
            width = 2 if len(old) == 2 and _padded(match) else 1
            new[group] = f"{value:0{width}}"
    if old := groups.get("mon"):
        new["mon"] = _like(old, _month(match, moved.month))
    if groups.get("ord"):
        new["ord"] = _like(groups["ord"], _ordinal(moved.day))
    for group in ("y", "y2"):
        if old := groups.get(group):
            digits = f"{moved.year % 100:02}" if short else f"{moved.year:04}"
            new[group] = old[:1] + digits if old[0] in "'’" else digits
    if old := groups.get("wd"):
        if year is None:
            return None
        name = date_forms.WEEKDAYS[moved.weekday()]
        new["wd"] = _like(old, name if len(old) > 5 else name[:3])
    return _rewritten(match, new)


def _year(groups: dict[str, str | None]) -> tuple[int | None, bool]:
    """The year, and whether two digits were written."""
    written = groups.get("y") or groups.get("y2")
    if not written:
        return None, False
    digits = written.lstrip("'’")
    if len(digits) == 4:
        return int(digits), False
    return int(digits) + (1900 if int(digits) >= 50 else 2000), True


def _padded(match: re.Match[str]) -> bool:
    """Whether days and months below 10 have a zero: one of them has, or the year comes first."""
    groups = match.groupdict()
    zero = any((groups.get(group) or "").startswith("0") for group in ("m", "d"))
    year_first = (
        bool(groups.get("y")) and bool(groups.get("m")) and (match.start("y") < match.start("m"))
    )
    return zero or year_first


def _month(match: re.Match[str], number: int) -> str:
    """The month's name, long where it was; May is long where a space stands beside it."""
    old, name = match["mon"], date_forms.MONTHS[number - 1]
    is_long = old.title() in date_forms.MONTHS
    if old.title() == "May" and "-" in match.group():
        is_long = False
    return name if is_long else name[:3]


def _ordinal(day: int) -> str:
    return "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _like(old: str, new: str) -> str:
    if old.isupper():
        return new.upper()
    return new.lower() if old.islower() else new


def _rewritten(match: re.Match[str], new: dict[str, str]) -> str:
    text, at = match.group(), 0
    parts: list[str] = []
    for group in sorted(new, key=match.start):
        parts += (text[at : match.start(group)], new[group])
        at = match.end(group)
    return "".join([*parts, text[at:]])
