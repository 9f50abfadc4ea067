"""Sentences in which mentions and what holds for them are marked."""

from __future__ import annotations

import re

from nlp.assertion.result import Assertion, Assessed, Range
from nlp.assertion.rule_file import RuleSet
from nlp.assertion.rules import RuleAssessor
from nlp.preprocess.sections import Section

_MARKED = re.compile(r"\[([^]]*)\]\{(\w*)\}")


def unmarked(marked: str) -> tuple[str, list[Range], list[str]]:
    """The text without marks, its mentions, and the letters behind each.

    ``no [fever]{n}``: n negated, u uncertain, h historical, y hypothetical, f family's, o other's.
    """
    text, mentions, letters, position = "", [], [], 0
    for match in _MARKED.finditer(marked):
        text += marked[position : match.start()]
        mentions.append((len(text), len(text) + len(match[1])))
        text += match[1]
        letters.append("".join(sorted(match[2])))
        position = match.end()
    return text + marked[position:], mentions, letters


def letters_of(assertion: Assertion) -> str:
    """What is set, as in :func:`unmarked`."""
    said = {
        "n": assertion.negated,
        "u": assertion.uncertain,
        "h": assertion.historical,
        "y": assertion.hypothetical,
        "f": assertion.experiencer == "family",
        "o": assertion.experiencer == "other",
    }
    return "".join(sorted(letter for letter, holds in said.items() if holds))


def assess(
    rules: RuleSet | RuleAssessor, text: str, mentions: list[Range], section: str = ""
) -> list[Assertion]:
    """Assess mentions of one sentence, which stands in a section where one is named."""
    assessor = rules if isinstance(rules, RuleAssessor) else RuleAssessor(rules)
    whole = (0, len(text))
    sections = [Section(section, *whole)] if section else []
    return assessor.assess([Assessed(text, mentions, [whole], sections)])[0]
