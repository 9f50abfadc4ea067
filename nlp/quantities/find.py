"""Quantities of a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from nlp.preprocess.sections import Section
from nlp.quantities.attach import Attacher, make_attacher
from nlp.quantities.comparators import comparator_before
from nlp.quantities.dates import MONTH, Found, match_date, match_month
from nlp.quantities.frequencies import frequency_pattern, read_frequency
from nlp.quantities.kinds import Decision, decide, is_flagged
from nlp.quantities.names import Named, name_after, name_before
from nlp.quantities.numbers import NUMBER_WORD
from nlp.quantities.readings import Part, is_change, match_age, match_pressure, match_reading
from nlp.quantities.times import ARTICLE_AGO, from_today, is_lasting, match_article_ago
from nlp.quantities.units import conversion


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity, in characters of the text; attributes are the columns of ``quantities``."""

    start_char: int
    end_char: int
    kind: str
    mention_id: int | None = None
    comparator: str | None = None
    value: float | None = None
    high: float | None = None
    unit: str | None = None
    base_value: float | None = None
    base_high: float | None = None
    base_unit: str | None = None
    date: date | None = None
    name: str | None = None


def find_quantities(
    text: str,
    sentences: Sequence[tuple[int, int]],
    sections: Sequence[Section],
    mentions: Sequence[tuple[int, int, str]],
) -> list[Quantity]:
    """The quantities of a text, in text order and disjoint.

    Args:
        text: the document's text.
        sentences: its sentences, in order.
        sections: its sections, in order.
        mentions: start, end and label, in the order of mention_id, which is text order.
    """
    return list(_Search(text, make_attacher(text, sentences, sections, mentions)).run())


_AMOUNTS = frozenset({"strength", "dose", "frequency"})
_NEAR = 40
"""Characters between an amount and a word such as daily that tells how often."""
_ROUTE = re.compile(r"\s(?:(?:po|p\.o\.|orally|by\smouth|im|iv|sq)\s)?", re.IGNORECASE)
_SECOND = re.compile(r"\s?(?:/|,|&|\band\b)\s?(?=\d)", re.IGNORECASE)
_UNNAMED_SYSTOLIC = (80, 230)
_UNNAMED_DIASTOLIC = (40, 130)
_SIZES = frozenset({"mm", "cm", "m", "[in_i]", "mL", "L", "cm2", "g", "%"})


@cache
def _anchor() -> re.Pattern[str]:
    """Where a quantity may begin: no figure within a word, a number or a price."""
    return re.compile(
        rf"(?=[\w.½])(?<![\w.$#])(?<!\d,)(?<!,\d-)(?<!,\d\d-)(?<![A-Za-z]-)(?<!\d/)(?<!/-\s)(?<!/-)(?<!±\s)(?<!±)(?:(?P<frequency>{frequency_pattern()})"
        rf"|(?P<month>{MONTH})\b|(?P<number>\.?\d|½|(?:{NUMBER_WORD})\b)"
        rf"|(?P<article>{ARTICLE_AGO}))",
        re.IGNORECASE,
    )


class _Search:
    """One pass over a text, from left to right."""

    def __init__(self, text: str, attacher: Attacher) -> None:
        self._text = text
        self._attacher = attacher
        self._amount_end = -_NEAR - 1  # of the last strength, dose or frequency
        self._done = 0

    def run(self) -> Iterator[Quantity]:
        position, anchor = 0, _anchor()
        while match := anchor.search(self._text, position):
            position = match.end()
            for quantity in self._read(match):
                if quantity.kind != "date":  # weight on 10/07/04 was 150 pounds
                    self._done = quantity.end_char
                position = max(position, quantity.end_char)
                if quantity.kind in _AMOUNTS:
                    self._amount_end = quantity.end_char
                if quantity.kind in _AMOUNTS or quantity.kind == "duration":
                    self._attacher.take(quantity.mention_id, quantity.end_char)
                yield quantity

    def _read(self, match: re.Match[str]) -> Iterator[Quantity]:
        start = match.start()
        if match["frequency"]:
            yield from self._frequency(match)
        elif match["month"]:
            if found := match_month(self._text, start):
                yield _date(start, found)
        elif match["article"]:
            if ago := match_article_ago(self._text, start):
                yield self._converted(ago[0], Decision("date", ago[1]))
        else:
            yield from self._number(start)

    def _frequency(self, match: re.Match[str]) -> Iterator[Quantity]:
        often = read_frequency(match)
        start = match.start()
        mention, _ = self._attacher.drug(start, often.end, loosely=True)
        if often.direct and start - self._amount_end > 1:
            return
        if often.weak and mention is None and start - self._amount_end > _NEAR:
            return
        decision = Decision("frequency", often.unit, often.name)
        if often.value is None:
            yield Quantity(start, often.end, "frequency", mention, name=often.name)
            return
        part = Part(start, often.end, float(often.value), often.high)
        yield self._converted(part, decision, mention)

    def _number(self, start: int) -> Iterator[Quantity]:
        text = self._text
        if found := match_date(text, start):
            yield _date(start, found)
            return
        if age := match_age(text, start):
            part, unit = age
            yield self._converted(part, Decision("age", unit))
            return
        named = name_before(text, start, self._done)
        if pressure := self._pressure(start, named):
            yield pressure
            return
        reading = match_reading(text, start, apart=is_change(text, start))
        if reading is None:
            return
        if behind := name_after(text, reading.end):
            named = behind
        if named and is_flagged(text, reading, named):
            reading = reading.without_unit(text)
        lasts = reading.unit is not None and reading.unit.signature == "time"
        mention, tight = self._attacher.drug(start, reading.end, lasts)
        after = _SECOND.match(text, reading.end)
        if named and named.joined and after:
            named = named.as_pair()
        decision = decide(text, reading, named, tight)
        if decision is None:
            if reading.unit is None and tight and self._is_taken(reading.end):
                yield self._converted(reading.parts[0], Decision("strength", None), mention)
            return
        if decision.unit and decision.kind == "duration":
            for part in reading.parts:
                yield self._duration(part, decision.unit, mention)
            return
        for part in reading.parts:
            yield self._converted(part, decision, self._mention(decision, part, named, mention))
        if named and named.second and after:
            yield from self._second(after.end(), named.second)

    def _is_taken(self, end: int) -> bool:
        """Whether it is told how often: Xanax 0.5 q.4h."""
        follows = _ROUTE.match(self._text, end)
        match = _anchor().match(self._text, follows.end()) if follows else None
        return match is not None and match["frequency"] is not None

    def _second(self, start: int, named: Named) -> Iterator[Quantity]:
        """The other value of a pair of names."""
        reading = match_reading(self._text, start)
        decision = decide(self._text, reading, named, False) if reading else None
        if reading and decision and decision.kind == named.name.kind:
            part = reading.parts[0]
            yield self._converted(part, decision, self._mention(decision, part, named, None))

    def _pressure(self, start: int, named: Named | None) -> Quantity | None:
        found = match_pressure(self._text, start)
        if found is None:
            return None
        part, has_unit = found
        assert part.high is not None
        is_named = named is not None and named.name.name == "blood_pressure"
        likely = (
            named is None
            and _UNNAMED_SYSTOLIC[0] <= part.value <= _UNNAMED_SYSTOLIC[1]
            and _UNNAMED_DIASTOLIC[0] <= part.high <= _UNNAMED_DIASTOLIC[1]
            and not self._attacher.drug(start, part.end)[1]
            and match_reading(self._text, start + self._text[start : part.end].find("/") + 1)
        )
        if not (is_named or has_unit or (likely and likely.unit is None)):
            return None
        return self._converted(part, Decision("vital_sign", "mm[Hg]", "blood_pressure"))

    def _duration(self, part: Part, unit: str, drug: int | None) -> Quantity:
        """A length of time, a relative date where it tells one."""
        if distance := from_today(self._text, part, unit):
            return self._converted(distance, Decision("date", unit))
        if drug is not None and not is_lasting(self._attacher.gap(drug, part.start)):
            drug = None
        return self._converted(part, Decision("duration", unit), drug)

    def _mention(
        self, decision: Decision, part: Part, named: Named | None, drug: int | None
    ) -> int | None:
        if decision.kind in _AMOUNTS:
            return drug
        if decision.kind == "lab_value" and named is not None:
            return self._attacher.overlapping(named.start, named.end)
        if decision.kind == "measure" and decision.unit in _SIZES:
            return self._attacher.finding(part.start, part.end)
        return None

    def _converted(self, part: Part, decision: Decision, mention: int | None = None) -> Quantity:
        comparator = None
        if decision.kind not in ("frequency", "date"):
            comparator = comparator_before(self._text, part.start)
        to_base = conversion(decision.unit, decision.kind) if decision.unit else None
        return Quantity(
            start_char=part.start,
            end_char=part.end,
            kind=decision.kind,
            mention_id=mention,
            comparator=comparator,
            value=round(part.value, 6),
            high=None if part.high is None else round(part.high, 6),
            unit=decision.unit,
            base_value=to_base.apply(part.value) if to_base else None,
            base_high=to_base.apply(part.high) if to_base else None,
            base_unit=to_base.unit if to_base else None,
            name=decision.name,
        )


def _date(start: int, found: Found) -> Quantity:
    """A day, or a part of one with its year as the value."""
    year = float(found.year) if found.date is None and found.year is not None else None
    return Quantity(start, found.end, "date", value=year, date=found.date)
