"""How streets, boxes, ZIP codes and the like are written."""

from __future__ import annotations

import re

UNIT = r"(?:,?\s{1,2}(?:Apt|Apartment|Suite|Ste|Unit|Floor|Rm|Room|Box|#)\.?\s?#?\s?[\w\-]{1,6}\b)"
BOX = re.compile(r"\bP\.?\s?O\.?\s?Box:?\s{0,2}#?\s{0,2}\d{1,6}\b|\bPSC \d+", re.IGNORECASE)
FURTHER = re.compile(r"\s(?:&|and)\s(?:Medical Center|Clinics?|Health Center|Health System)\b")
UNIVERSITY = re.compile(
    r"\b(?:University|College|Hospital|City) of (?:the )?[A-Z][a-z]+(?:[ \-][A-Z][a-z]+){0,2}"
)
UNIT_ALONE = re.compile(r"\b(?:Apt|Apartment)\.?\s?#?\s?\d{1,5}[A-Za-z]?\b")
ZIP_LABEL = re.compile(
    r"\b(?:zip(?:\s?code)?|postal\s?code|postcode)\b[\s:#]{0,3}(?P<zip>\d{5}(?:-\d{4})?)(?!\d)",
    re.IGNORECASE,
)
SAINT = re.compile(
    r"\b(?:St\.|St|Saint|ST\.)\s(?P<name>[A-Z][A-Za-z]+(?:\s[A-Z][a-z]+)?)(?:['’][sS])?(?=[\s.,;:)]|$)"
)
SAINT_LEAD = re.compile(r"\b(?:at|to|from|in|near|of)\s(?:the\s)?$")
LINE_END = re.compile(r",?\s{0,2}(?:\n|[A-Z][\w .]{0,30},? [A-Z]{2},? \d{5}|,\s[A-Z])")
BORN_IN = re.compile(r"\bborn\b[^.;\n]{3,40}?\s(?:in|at)\b(?=\s[A-Z])")
MILITARY = re.compile(r"\b(?:USNS|USS|USNV|DPO|FPO|APO|Unit \d+ Box)\s[^\n]{0,40}?\b\d{5}\b")


TOWN = re.compile(
    r",\s{1,2}(?P<town>[A-Z][a-z]+(?:\s[A-Z][a-z]+)?)(?:,?\s(?P<zip>\d{5}(?:-\d{4})?))?(?=[.,;)\n]|$)"
)
STREET_BEFORE = re.compile(r"[A-Z][a-z]+\s$")


def street_form(words: frozenset[str]) -> re.Pattern[str]:
    """A house number, capitalised words and a word of streets, perhaps a flat."""
    endings = "|".join(sorted(words, key=len, reverse=True))
    name = r"(?:[A-Z][\w'’\-]*\.?\s{1,2}|\d{1,3}(?:st|nd|rd|th)\s{1,2})"
    return re.compile(
        rf"(?<![\w/.\-])(?P<number>\d{{1,6}}(?:-\d{{1,4}})?[A-Z]?)\s{{1,2}}{name}{{1,4}}?"
        rf"(?i:{endings})\b\.?(?![a-z]){UNIT}{{0,2}}"
    )
