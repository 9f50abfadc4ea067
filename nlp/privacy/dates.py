"""Dates: every element but a year that stands alone; no times of day, no weekdays alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlp.privacy import date_forms
from nlp.privacy.finding import Finding
from nlp.privacy.phrases import PhraseIndex
from nlp.privacy.rules import read_rules, word_set
from nlp.privacy.words import Words

_MONTH_DAY = re.compile(rf"(?<![^\W_]){date_forms.MONTH_DAY}(?![^\W_]|[:/.]\d)")
_DAY_MONTH = re.compile(rf"(?<![\w./])(?:the\s)?{date_forms.DAY_MONTH}")
_MONTH_YEAR = re.compile(rf"(?<![^\W_]){date_forms.MONTH_YEAR}")
_MONTH = re.compile(rf"(?<![^\W_]){date_forms.MONTH_ALONE}")
_NUMERIC = re.compile(rf"(?<![\w./]){date_forms.NUMERIC}(?![\d/]|[.\-]\d)")
_ISO = re.compile(rf"(?<![\w./\-]){date_forms.ISO}(?!\d)")
_NUMERIC_MONTH = re.compile(rf"(?<![\w./\-]){date_forms.NUMERIC_MONTH}(?![\w/\-])")
_NUMERIC_DAY = re.compile(rf"(?<![\w./\-]){date_forms.NUMERIC_DAY}(?![\w/%]|[.\-]\d)")
_COMPACT = re.compile(
    rf"(?<![^\W_]){date_forms.COMPACT}(?=(?:T?{date_forms.COMPACT_TIME}Z?)?(?![^\W_]))"
)
_JOINED = re.compile(rf"(?<![^\W_]){date_forms.JOINED}(?=T\d|(?![^\W_]))")
_RANGE_END = re.compile(r"\s{0,2}(?:-|–|to|through|thru|and|&)\s{0,2}(?:the\s)?")
_DAY_ONLY = re.compile(
    r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?(?:,?\s{1,2}(?:19|20)\d\d)?(?![\w/%]|\.\d)"
)
_LABELLED = re.compile(
    r"\b(?P<label>DOB|D\.O\.B\.?|DOS|DOA|DOD|LMP|EDC|EDD|birth\s?date|date of birth"
    r"|born(?: on| in)?"
    r"|birth year|year of birth|date(?: of [a-z]+){0,3})"
    r"\s{0,3}(?:is|was)?[\s:=#\-]{0,4}"
    r"(?P<v>(?:19|20)\d{6}|\d{1,2}[/\-.]\d{1,2}(?:[/\-.]\d{2,4})?|\d{1,2}[/\-]\d{2,4}|\d{6}|19\d\d"
    r"|20\d\d)(?![\w/])",
    re.IGNORECASE,
)
_BIRTH = re.compile(r"DOB|D\.O\.B|birth|born", re.IGNORECASE)
_WEEKDAY_BEFORE = re.compile(rf"(?<![^\W_]){date_forms.WEEKDAY}\.?,?\s{{1,2}}(?:the\s)?$")
_WORD_BEFORE = re.compile(r"([A-Za-z]+)[\s:(]{1,3}$")
_SENTENCE_END = re.compile(r"[.;?!]\s|\n")
_UNIT = re.compile(
    r"\s?(?:days?|weeks?|months?|years?|hours?|hrs?|minutes?|times|tablets?|tabs?|mg|ml|cm|mm|cups?"
    r"|doses?|inch|inches|of)\b"
)
_TIME = re.compile(r"\s(?:at|@)\s?\d{1,2}(?::\d\d|\s?[ap]\.?m)", re.IGNORECASE)
_VERB = re.compile(r"\s(?:be|have|need|not|also|take|help|return|require|use|go|cause|want)\b")
_NUMBERED = {"January", "February", "July", "September", "October", "November", "December"}
"""Months that are no other word or name: dates wherever they stand with a capital."""


class DateFinder:
    """Dates written in numbers and words."""

    def __init__(self) -> None:
        """Read the lists."""
        self._before_month = word_set("dates", "before_month")
        self._before_day = word_set("dates", "before_day")
        self._no_day = word_set("dates", "no_day")
        self._holidays = PhraseIndex(
            ((holiday, None) for holiday in read_rules()["dates"]["holidays"]), same_case=True
        )

    def find(self, words: Words) -> Iterator[Finding]:
        """Dates of the text, in no order."""
        text = words.text
        for match in _MONTH_DAY.finditer(text):
            yield _found(text, match.start(), _range_end(text, match), "month_day", 0.85)
        for match in _DAY_MONTH.finditer(text):
            yield _found(text, match.start(), match.end(), "day_month", 0.85)
        for match in _MONTH_YEAR.finditer(text):
            yield _found(text, match.start(), match.end(), "month_year", 0.8)
        for match in _MONTH.finditer(text):
            if self._is_month(text, match):
                yield _found(text, match.start(), match.end(), "month", 0.6)
        for match in _NUMERIC.finditer(text):
            first, second = int(match["m"]), int(match["d"])
            either = date_forms.is_day(first, second) or date_forms.is_day(second, first)
            if either and (match["sep"] != "." or len(match["y"]) == 4):
                yield _found(text, match.start(), match.end(), "numeric", 0.85)
        for match in _ISO.finditer(text):
            if date_forms.is_day(int(match["m"]), int(match["d"])):
                yield _found(text, match.start(), match.end(), "iso", 0.85)
        for match in _NUMERIC_MONTH.finditer(text):
            yield _found(text, match.start(), match.end(), "numeric_month", 0.8)
        for match in _NUMERIC_DAY.finditer(text):
            if self._is_day(text, match):
                yield _found(text, match.start(), match.end(), "numeric_day", 0.6)
        for match in _COMPACT.finditer(text):
            if not _is_decimal(text, *match.span()):
                yield _found(text, match.start(), match.end(), "compact", 0.8)
        for match in _JOINED.finditer(text):
            yield _found(text, match.start(), match.end(), "joined", 0.85)
        for match in _LABELLED.finditer(text):
            bare_year = re.fullmatch(r"(?:19|20)\d\d", match["v"]) is not None
            if not bare_year or _BIRTH.match(match["label"]):
                yield Finding(*match.span("v"), "date", "date:label", 0.85)
        for start, end, _ in self._holidays.find(words):
            yield Finding(start, end, "date", "date:holiday", 0.6)

    def _is_month(self, text: str, match: re.Match[str]) -> bool:
        if match["mon"].title() in _NUMBERED and match["mon"][0].isupper():
            return True
        if match["mon"].isupper() and len(match["mon"]) <= 4:
            return False  # OCT, MAR: rather a short form
        if match["mon"] == "May" and _VERB.match(text, match.end()):
            return False
        before = _WORD_BEFORE.search(text, max(0, match.start() - 14), match.start())
        return before is not None and before[1].lower() in self._before_month

    def _is_day(self, text: str, match: re.Match[str]) -> bool:
        """Whether 3/4 is a day: fractions, scores and strengths are written so, too."""
        start = match.start()
        after = re.match(r"\W{1,2}([a-z]+)", text[match.end() : match.end() + 20].lower())
        if _UNIT.match(text, match.end()) or (after and after[1] in self._no_day):
            return False
        weekday = _WEEKDAY_BEFORE.search(text[max(0, start - 16) : start])
        if weekday is not None or _TIME.match(text, match.end()):
            return True
        word = _WORD_BEFORE.search(text, max(0, start - 14), start)
        if word is not None and word[1].lower() in self._before_day:
            return word[1].lower() == "on" or not self._tells_a_score(text, start)
        earlier = re.search(
            rf"{date_forms.NUMERIC_DAY}\s{{0,2}}(?:-|–|to|and|,|through)\s{{0,2}}$",
            text[max(0, start - 16) : start],
        )
        if earlier is None:
            return False
        word = _WORD_BEFORE.search(text[max(0, start - 30) : start - len(earlier.group())])
        return (
            word is not None
            and word[1].lower() in self._before_day
            and not self._tells_a_score(text, start)
        )

    def _tells_a_score(self, text: str, start: int) -> bool:
        """Whether the words before speak of strength, pain or the like."""
        before = _SENTENCE_END.split(text[max(0, start - 40) : start])[-1].lower()
        return not self._no_day.isdisjoint(re.findall(r"[a-z]+", before))


def _is_decimal(text: str, start: int, end: int) -> bool:
    """Whether digits are part of a number with a point."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    return bool(re.fullmatch(r"\d[.,]", before) or re.fullmatch(r"[.,]\d", after))


def _range_end(text: str, match: re.Match[str]) -> int:
    """End of the date, or of ``March 3-5, 2019``."""
    if match["y"] is None and (joint := _RANGE_END.match(text, match.end())):
        joined = joint.group().strip().lower()
        if joined in {"-", "–", "&"} and (day := _DAY_ONLY.match(text, joint.end())):
            return day.end()
    return match.end()


def _found(text: str, start: int, end: int, form: str, score: float) -> Finding:
    weekday = _WEEKDAY_BEFORE.search(text[max(0, start - 16) : start])
    if weekday is not None:
        start -= len(weekday.group())
    return Finding(start, end, "date", f"date:{form}", score)
