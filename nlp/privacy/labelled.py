"""Numbers that a label or their form says are identifiers: records, accounts, serials, plates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nlp.privacy.finding import Finding
from nlp.privacy.phrases import PhraseIndex
from nlp.privacy.rules import common_words, read_rules
from nlp.privacy.words import Words

_BETWEEN = re.compile(
    r"[ \t]*(?:(?:numbers?|nos?\b\.?|num\b\.?|ids?\b|identifier|code|card|is|was|of record|"
    r"on file|ending|in|last four|last 4|digits)[ \t]*){0,4}"
    r"[\s:=#.\-–(\[]{0,6}(?:is\s+|was\s+)?#?\s{0,2}",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"(?:[A-Z]{2}[ ](?=[A-Z0-9]{0,4}\d))?[A-Za-z0-9]+(?:[\-/.][A-Za-z0-9]+|[ ](?=\d)[0-9]+){0,6}"
)
_FIRST_WITH_DIGIT = re.compile(r"(?:[A-Z]{2} )?[A-Za-z]*[\-/.]?[A-Za-z]*\d")
_PHONE = re.compile(
    r"(?<![\w.\-/])(?:\+?1[\s.\-]{0,2})?(?:\(\d{3}\)[\s.\-]{0,2}|\d{3}[ .\-/])\d{3}[ .\-]\d{4}"
    r"(?:,?\s{0,2}(?:x|ext\.?|extension)\s{0,2}\d{1,6})?(?!\w|-\d)"
)
_FAX = re.compile(r"\b(?:fax(?:ed)?|facsimile)\b", re.IGNORECASE)
_TELEPHONE = re.compile(r"\b(?:phone|tel|telephone|cell|call|mobile|work|home)\b", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![\w@.])@[A-Za-z][A-Za-z0-9_.]{2,29}\b(?!@)")
_PHOTO = re.compile(
    r"(?<![\w\-])[\w\-]{1,200}\.(?:jpe?g|png|gif|bmp|tiff?|heic|dcm|webp)\b", re.IGNORECASE
)
_VIN = re.compile(r"\b(?=[A-Z]{0,16}\d)[A-HJ-NPR-Z0-9]{11}\d{6}\b|\b\d[A-HJ-NPR-Z0-9]{16}\b")


@dataclass(frozen=True)
class _Labelled:
    rule_id: str
    kind: str
    digits: int
    score: float


class NumberFinder:
    """Labels such as MRN, and forms such as those of telephone numbers."""

    def __init__(self) -> None:
        """Read the labels."""
        self._labels = PhraseIndex(
            (
                label,
                _Labelled(rule["id"], rule["kind"], rule.get("digits", 4), rule.get("score", 0.85)),
            )
            for rule in read_rules()["labelled"]
            for label in rule["labels"]
        )

    def find(self, words: Words) -> Iterator[Finding]:
        """Identifiers of the text, in no order."""
        text = words.text
        for _, end, rule in self._labels.find(words):
            between = _BETWEEN.match(text, end)
            value = _VALUE.match(text, between.end() if between else end)
            if value is None or not _FIRST_WITH_DIGIT.match(value.group()):
                continue
            stop = _trim(value.group(), value.start())
            if sum(c.isdigit() for c in text[value.start() : stop]) >= rule.digits:
                yield Finding(value.start(), stop, rule.kind, rule.rule_id, rule.score)
        for match in _PHONE.finditer(text):
            kind = kind_of_phone(text, match.start())
            yield Finding(match.start(), match.end(), kind, f"{kind}:north_american", 0.8)
        for match in _HANDLE.finditer(text):
            if match.group()[1:].lower() not in common_words():
                yield Finding(match.start(), match.end(), "other", "other:handle", 0.6)
        for match in _PHOTO.finditer(text):
            yield Finding(match.start(), match.end(), "photo", "photo:file_name", 0.9)
        for match in _VIN.finditer(text):
            if not match.group().isdigit():
                yield Finding(match.start(), match.end(), "vehicle", "vehicle:vin", 0.8)


def _trim(value: str, start: int) -> int:
    """End of a value whose last words may be of the next sentence: it ends with a digit's word."""
    parts = re.split(r"(?<=[./ ])", value)
    while len(parts) > 1 and not any(c.isdigit() for c in parts[-1]):
        parts.pop()
    return start + len("".join(parts).rstrip("./ -"))


def kind_of_phone(text: str, start: int) -> str:
    """``fax`` where the words before say so, else ``phone``."""
    before = text[max(0, start - 40) : start]
    said = [m.start() for m in _FAX.finditer(before)]
    if said and not any(m.start() > said[-1] for m in _TELEPHONE.finditer(before)):
        return "fax"
    return "phone"
