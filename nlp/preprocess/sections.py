"""Sections: those a source states itself, else headings of notes, abstracts and articles.

A section runs from its heading to the next. Which words are headings says a file of rules (see
:mod:`nlp.preprocess.heading_rules`): a free guess would turn every "Blood pressure:" into a
section. Only words in capitals where a heading may stand, in a note that writes its headings so,
open a section ``other`` without being known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nlp.preprocess.heading_rule import HeadingRules
from nlp.preprocess.heading_rules import load_heading_rules, rules_fingerprint
from nlp.preprocess.opened import opened_by_labels, opened_by_titles, opened_in_note

__all__ = ["Section", "find_sections", "load_heading_rules", "rules_fingerprint"]

_OPENED = {"abstract": opened_by_labels, "article": opened_by_titles}


@dataclass(frozen=True, slots=True)
class Section:
    """A named range of the text, heading included.

    ``heading_end_char`` is one past the heading and its colon, None where the source states the
    section; ``loinc_code`` that of the section, where one exists.
    """

    name: str
    start_char: int
    end_char: int
    heading_end_char: int | None = None
    loinc_code: str | None = None


def find_sections(
    text: str,
    kind: str,
    given: Sequence[Section] = (),
    rules: HeadingRules | None = None,
) -> list[Section]:
    """The sections of a text in order; ``given`` ones, stated by the source, come first of all.

    Args:
        text: the document's text.
        kind: ``abstract``, ``note`` or ``article``; abstracts have headings inside paragraphs.
        given: sections the source stated, in offsets of ``text``; their names are normalised where
            the rules know them.
        rules: those of headings; by default the ones in the box.
    """
    rules = rules or load_heading_rules()
    if given:
        stated = (_normalised(section, kind, rules) for section in given)
        return sorted(stated, key=lambda s: (s.start_char, -s.end_char))
    found = list(_OPENED.get(kind, opened_in_note)(text, rules))
    ends = [*(opened.start for opened in found[1:]), len(text)]
    return [
        Section(opened.name, opened.start, end, opened.after, opened.loinc)
        for opened, end in zip(found, ends, strict=False)
    ]


def innermost(sections: Sequence[Section], position: int) -> int | None:
    """Index of the section that holds the position and starts last; sections are sorted."""
    last = bisect_right(sections, position, key=lambda section: section.start_char) - 1
    for index in range(last, -1, -1):
        if position < sections[index].end_char:
            return index
    return None


def _normalised(section: Section, kind: str, rules: HeadingRules) -> Section:
    rule = rules.stated.get(kind, {}).get(section.name)
    if rule is None:
        return section
    return replace(section, name=rule.name, loinc_code=section.loinc_code or rule.loinc.get(""))
