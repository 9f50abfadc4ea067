"""What is given to an assessor, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nlp.preprocess.sections import Section

Range = tuple[int, int]

ATTRIBUTES = ("negated", "uncertain", "historical", "hypothetical", "experiencer")

PATIENT, FAMILY, OTHER = "patient", "family", "other"
"""Values of ``experiencer``."""


@dataclass(frozen=True, slots=True)
class Cue:
    """Why an attribute is what it is: the rule, and its words in characters of the text.

    ``start_char`` and ``end_char`` are None where no words decided.
    """

    attribute: str
    rule_id: str
    start_char: int | None = None
    end_char: int | None = None


@dataclass(frozen=True, slots=True)
class Assertion:
    """What is said of one mention; None = not assessed. One cue for each attribute that is set."""

    negated: bool | None = None
    uncertain: bool | None = None
    historical: bool | None = None
    hypothetical: bool | None = None
    experiencer: str | None = None
    cues: tuple[Cue, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessed:
    """A document to assess: all ranges in characters of its text, sorted.

    Attributes:
        text: of the document.
        mentions: to be assessed; they may overlap.
        sentences: disjoint.
        sections: may nest.
    """

    text: str
    mentions: Sequence[Range]
    sentences: Sequence[Range]
    sections: Sequence[Section]


class Assessor(Protocol):
    """Rules, or a classifier."""

    def assess(self, documents: Sequence[Assessed]) -> list[list[Assertion]]:
        """One assertion for every mention of every document, in the order given."""
