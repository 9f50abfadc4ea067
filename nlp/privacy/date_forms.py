"""The ways dates are written, with named groups, to find them and to write others.

Groups: ``y`` year, ``m`` month as a number, ``mon`` as a word, ``d`` day, ``ord`` its ending,
``wd`` weekday.
"""

from __future__ import annotations

import re

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_LONG = "|".join(MONTHS)
_SHORT = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec"
_SAFE_LOWER = "|".join(m.lower() for m in MONTHS if m not in {"March", "May"})
_MONTH = rf"(?P<mon>{_LONG}|{_SHORT}|{_LONG.upper()}|{_SHORT.upper()}|{_SAFE_LOWER})(?![^\W_])"
_DAY = r"(?P<d>0?[1-9]|[12]\d|3[01])"
_ORDINAL = r"(?P<ord>(?i:st|nd|rd|th))?"
_YEAR = r"(?P<y>(?:19|20)\d\d)"
_SHORT_YEAR = r"(?P<y>(?:19|20)\d\d|['’]?\d\d)"
WEEKDAY = (
    r"(?P<wd>(?i:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
    r"|Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun))"
)

MONTH_DAY = (
    rf"{_MONTH}\.?[\s\-]{{1,3}}{_DAY}{_ORDINAL}"
    rf"(?:(?:\s{{0,2}},\s{{0,2}}|\s{{1,2}}|-){_YEAR}(?![^\W_]))?"
)
DAY_MONTH = (
    rf"{_DAY}{_ORDINAL}(?:\s+day)?(?:\s+of)?(?:\s{{1,2}}|-|/|\.)?{_MONTH}\.?"
    rf"(?:(?:,?\s{{1,2}}|[\-/.,]){_YEAR}(?![^\W_])|[\-/](?P<y2>\d\d)(?![^\W_]))?"
)
MONTH_YEAR = rf"{_MONTH}\.?(?:,?\s{{1,2}}|\s+of\s+|[\-/,]){_SHORT_YEAR}(?![^\W_])"
MONTH_ALONE = _MONTH
NUMERIC = r"(?P<m>\d{1,2})(?P<sep>[/\-.])(?P<d>\d{1,2})(?P=sep)(?P<y>\d{4}|\d{2})"
ISO = r"(?P<y>(?:19|20)\d\d)(?P<sep>[/\-.])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})"
NUMERIC_MONTH = r"(?P<m>0?[1-9]|1[0-2])(?P<sep>[/\-])(?P<y>(?:19|20)\d\d)"
NUMERIC_DAY = r"(?P<m>0?[1-9]|1[0-2])(?P<sep>[/\-])(?P<d>0?[1-9]|[12]\d|3[01])"
COMPACT = r"(?P<y>(?:19|20)\d\d)(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])"
COMPACT_TIME = r"(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?"
JOINED = (
    rf"(?P<d>0[1-9]|[12]\d|3[01])(?P<mon>(?i:{_SHORT.replace('|Sept', '')}|May))"
    r"(?P<y>(?:19|20)\d\d)"
)
"""31DEC2019, as SAS writes dates."""

TIME = (
    r"(?:(?:T|:|\s{1,2})\d{1,2}(?::?\d\d){1,2}(?:\.\d{1,9})?"
    r"\s?(?:Z|[AaPp]\.?[Mm]\.?|[+\-]\d\d:?\d\d)?)"
)
"""A time of day that stands behind a date."""

STATED = (
    r"\d{4}[\-/]\d{1,2}[\-/]\d{1,2}(?:[T ].{0,40})?"
    r"|\d{1,2}[\-/.]\d{1,2}[\-/.]\d{4}(?:[T ].{0,40})?"
    rf"|{COMPACT}(?:[T ].{{0,40}}|{COMPACT_TIME}.{{0,16}})?"
    r"|[12]\d{3}-(?:0?[1-9]|1[0-2])"
)
"""What a table's cell says that is a date as a whole, of any century."""

WRITTEN = (
    MONTH_DAY,
    DAY_MONTH,
    MONTH_YEAR,
    NUMERIC,
    ISO,
    NUMERIC_MONTH,
    NUMERIC_DAY,
    COMPACT,
    JOINED,
    MONTH_ALONE,
)
"""All forms; a date is read by the first that fits all of it."""


def month_number(word: str) -> int:
    """1 to 12 of a month's name or abbreviation."""
    start = word[:3].lower()
    return next(n for n, month in enumerate(MONTHS, start=1) if month.lower().startswith(start))


def is_day(month: int, day: int) -> bool:
    """Whether a month and a day may stand together in a date."""
    return 1 <= month <= 12 and 1 <= day <= 31


def compiled(form: str) -> re.Pattern[str]:
    """The form with a weekday before it or not."""
    return re.compile(rf"(?:{WEEKDAY}\.?,?\s{{1,2}})?(?:the\s)?{form}")
