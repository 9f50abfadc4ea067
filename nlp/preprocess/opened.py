"""Which words of a text open a section, and which one: the rules applied from top to bottom.

What a heading means may depend on the sections before it: ``NECK:`` is a part of the examination
or of the review of systems, and nothing where neither is open. Words in capitals may stand nearly
anywhere; others need a line, a bullet or at least a full stop before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from nlp.preprocess.heading_rule import HeadingRule, HeadingRules
from nlp.preprocess.headings import Ending, Place, Shape, Words, find_shapes

OTHER = "other"
"""Name of sections whose heading is not known."""

HISTORY = "history"
"""Name of sections that hold several histories, one of them the family's."""

_FEW = 2
"""Headings in capitals that show how a note writes its headings."""

_SOAP = {"s": "subjective", "o": "objective", "a": "assessment", "p": "plan"}
"""Letters that open a section in a note that has an ``A:`` and a ``P:``."""

_LONGEST_OTHER = 8
"""Words of a heading that is not known."""

_FOLLOWING = 60
"""Characters after a heading among which the words that must follow it stand."""

_CONJUNCTION = re.compile(r",? and |, |/")
_VALUE = re.compile(r"[^\S\n]*[\d<>=+(]")
_PULSE = re.compile(r"[^\S\n]*\d{2,3}(?![\w.)-])")
_TOKEN = re.compile(r"[a-z][a-z-]*")
_BEGINS = frozenset({Place.LINE, Place.GLUED})
_LABEL_ENDS = frozenset('.?!)]"”')

Forms = Mapping[str, tuple[HeadingRule, ...]]


class Opened(NamedTuple):
    """A heading: where it begins, where its text begins, and what it opens."""

    start: int
    after: int
    name: str
    loinc: str | None
    host: str | None
    """The section that parts which follow belong to."""


def opened_by_labels(text: str, rules: HeadingRules) -> Iterator[Opened]:
    """The sections of a structured abstract: labels in capitals, each after a sentence."""
    forms = rules.forms["abstract"]
    for shape in find_shapes(text, rules.last_words["abstract"]):
        for words in shape.readings:
            rule = next(iter(forms.get(words.form, ())), None)
            if rule and words.is_capitals and shape.ending is Ending.COLON:
                before = text[: words.start].rstrip(" ")[-1:] if words.start else ""
                if not before or before == "\n" or before in _LABEL_ENDS:
                    yield Opened(words.start, shape.after, rule.name, rule.loinc.get(""), None)
                    break


def opened_by_titles(text: str, rules: HeadingRules) -> Iterator[Opened]:
    """The sections of an article: titles on a line of their own, or before a colon."""
    forms = rules.forms["article"]
    for shape in find_shapes(text, rules.last_words["article"]):
        for words in shape.readings:
            rule = next(iter(forms.get(words.form, ())), None)
            if rule and words.place is Place.LINE:
                yield Opened(words.start, shape.after, rule.name, rule.loinc.get(""), None)
                break


def opened_in_note(text: str, rules: HeadingRules) -> Iterator[Opened]:
    """The sections of a note."""
    forms = rules.forms["note"]
    shapes = find_shapes(text, rules.last_words["note"])
    if letters := _letters(text, shapes, forms):
        forms = {**forms, **letters}
    writes_capitals = _writes_capitals(shapes, forms)
    host: str | None = None
    reached = 0
    for shape in shapes:
        opened = _known(text, shape, reached, host, rules, forms)
        if opened is None and writes_capitals and host not in rules.inline_hosts:
            opened = _other(text, shape, reached, rules, forms)
        if opened:
            yield opened
            host, reached = opened.host, opened.after


def _letters(text: str, shapes: Sequence[Shape], forms: Forms) -> Forms:
    """What the letters of a SOAP note open; nothing in a note that has not both A and P.

    ``P: 80`` is a pulse.
    """
    said = {
        words.form
        for shape in shapes
        for words in shape.readings
        if words.form in _SOAP
        and words.place in _BEGINS
        and words.is_capitals
        and shape.ending is Ending.COLON
        and not _PULSE.match(text, shape.after)
    }
    if not {"a", "p"} <= said:
        return {}
    return {letter: forms[_SOAP[letter]] for letter in said if _SOAP[letter] in forms}


def _writes_capitals(shapes: Sequence[Shape], forms: Forms) -> bool:
    known = (
        any(w.is_capitals and w.place in _BEGINS and w.form in forms for w in shape.readings)
        for shape in shapes
    )
    return sum(known) >= _FEW


def _known(
    text: str,
    shape: Shape,
    reached: int,
    host: str | None,
    rules: HeadingRules,
    forms: Forms,
) -> Opened | None:
    for words in shape.readings:
        if words.start < reached:
            continue
        if words.form in _SOAP and _PULSE.match(text, shape.after):
            continue
        for rule in _rules_of(words, rules, forms, host):
            parent = _parent(rule, words, shape.ending, host)
            if parent is None or not _stands(rule, words, shape.ending, parent, rules):
                continue
            if rule.followed_by and not _is_followed(text, shape.after, rule):
                continue
            return _opened(words, shape.after, rule, parent)
    return None


def _rules_of(
    words: Words, rules: HeadingRules, forms: Forms, host: str | None
) -> Iterator[HeadingRule]:
    """The rules of words; else those of what follows a prefix, or of what they are made of."""
    form = words.form
    if form in forms:
        yield from forms[form]
        return
    if words.place is Place.INLINE:
        return
    prefix, _, rest = form.partition(" ")
    if prefix in rules.prefixes and rest in forms:
        yield from forms[rest]
    elif words.place in _BEGINS:
        yield from _composed(form, forms, host)


def _composed(form: str, forms: Forms, host: str | None) -> Iterator[HeadingRule]:
    """The rules of ``family history/social history`` or ``heart and lungs``: those of the first.

    Several histories, one of them the family's, are a history: not all said there is of the family.
    """
    pieces = _CONJUNCTION.split(form)
    if len(pieces) < 2 or not all(piece in forms for piece in pieces):
        return
    parts = [[rule for rule in forms[piece] if rule.within] for piece in pieces]
    if all(parts):
        yield from parts[0]
        return
    own = [[rule for rule in forms[piece] if not rule.within] for piece in pieces]
    if all(own):
        names = {rules[0].name for rules in own}
        if "family_history" in names and len(names) > 1 and HISTORY in forms:
            own[0] = list(forms[HISTORY])
        yield from own[0]


def _parent(rule: HeadingRule, words: Words, ending: Ending, host: str | None) -> str | None:
    """The section a part belongs to; ``""`` for a section of its own, None where there is none."""
    if not rule.within:
        return ""
    if host in rule.within:
        return host
    stands_out = words.is_capitals and words.place is not Place.INLINE and ending is Ending.COLON
    return rule.alone if stands_out else None


def _stands(
    rule: HeadingRule, words: Words, ending: Ending, parent: str, rules: HeadingRules
) -> bool:
    """Whether words stand where a heading may."""
    place, capitals = words.place, words.is_capitals
    if rule.capitals and not capitals:
        return False
    if ending is not Ending.COLON:
        if rule.colon:
            return False
        return place is Place.LINE or (place in {Place.GLUED, Place.BULLET} and capitals)
    if place in _BEGINS:
        return True
    if parent in rules.inline_hosts or (parent and place is Place.BULLET):
        return True
    if capitals:
        return place is not Place.INLINE or " " in words.form
    return place is Place.SENTENCE and " " in words.form and not parent


def _is_followed(text: str, after: int, rule: HeadingRule) -> bool:
    following = text[after : after + _FOLLOWING].lower()
    return not rule.followed_by.isdisjoint(_TOKEN.findall(following))


def _opened(words: Words, after: int, rule: HeadingRule, parent: str) -> Opened:
    name = f"{parent}.{rule.name}" if parent and rule.joined else rule.name
    host = parent or rule.opens or rule.name
    code = rule.loinc.get(parent) or (None if parent and rule.joined else rule.loinc.get(""))
    return Opened(words.start, after, name, code, host)


def _other(
    text: str, shape: Shape, reached: int, rules: HeadingRules, forms: Forms
) -> Opened | None:
    """A heading that is not known: words in capitals where a line begins."""
    words = shape.readings[0]
    if shape.ending is not Ending.COLON or words.start < reached:
        return None
    if not words.is_capitals or words.place not in _BEGINS:
        return None
    count = words.form.count(" ") + 1
    if words.form in rules.labels or count > _LONGEST_OTHER or len(words.form) < 4:
        return None
    if words.form in forms or (count == 1 and _VALUE.match(text, shape.after)):
        return None
    return Opened(words.start, shape.after, OTHER, None, None)
