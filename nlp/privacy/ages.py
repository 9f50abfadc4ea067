"""Ages over 89; younger ones are no identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlp.privacy.finding import Finding
from nlp.privacy.words import Words

OLDEST = 130

_OLD = r"(?P<v>9\d|1[0-2]\d)"
_TENS = (
    r"(?P<v>ninety(?:[\s\-]+(?:one|two|three|four|five|six|seven|eight|nine))?"
    r"|(?:one|a)[\s\-]+hundred(?:[\s\-]+(?:and[\s\-]+)?"
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve))?)"
)
_YEARS = (
    r"[\s\-]{0,3}(?:(?:years?|yrs?|y)\.?[\s\-]{0,3}(?:old\b|of\s+age\b|/?\s?o\b\.?(?!\w))"
    r"|yo\b|y[./]\s?o\b)"
)
_AFTER = re.compile(rf"(?<![\w./]){_OLD}{_YEARS}", re.IGNORECASE)
_SEX = re.compile(
    r"(?<![\w./])(?P<v>9[0-3](?=\s?F\s(?:with|w/|in|from|on)\b)|(?:9\d|1[0-2]\d)"
    r"(?=\s?(?:M|F\s(?:s/p|c/o|h/o|[Hh]x|p/w|who|presents?|presenting|presented|admitted|BIBA"
    r"|brought|found))\b))"
)
"""92M, 92F admitted: 99F in the morning is a temperature."""

_WORDS = re.compile(rf"\b{_TENS}{_YEARS}", re.IGNORECASE)
_BEFORE = re.compile(
    rf"\b(?:aged?(?:\s+of|\s+is|\s+at\s+\w+)?|(?:died|deceased|passed\s+away|death)\s+at"
    rf"(?:\s+the)?(?:\s+age)?(?:\s+of)?|(?:now|turned|turning|turns)(?:\s+age)?)"
    rf"\s{{0,2}}[:=,]?\s{{0,2}}(?:about\s|approximately\s|~)?{_OLD}"
    rf"(?![\w/%]|[.,]\d|\s?(?:mg|ml|kg|lb|pounds|percent|days?|weeks?|months?|hours?|minutes?))",
    re.IGNORECASE,
)


def find_ages(words: Words) -> Iterator[Finding]:
    """Ages over 89: the number alone, in no order."""
    text = words.text
    for rule, pattern in (
        ("years", _AFTER),
        ("sex", _SEX),
        ("words", _WORDS),
        ("label", _BEFORE),
    ):
        for match in pattern.finditer(text):
            yield Finding(*match.span("v"), "age", f"age:{rule}", 0.9)


def is_identifying(age: str) -> bool:
    """Whether what somebody else marked as an age is over 89, or cannot be told."""
    number = re.search(r"\d+", age)
    return number is None or 89 < int(number.group()) <= OLDEST
