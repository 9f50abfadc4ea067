"""A text whose mentions and concepts are known, and the pairs of concepts that may be related."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Pair = tuple[str, str]
"""Concepts of a subject and an object."""


@dataclass(frozen=True, slots=True)
class ConceptMention:
    """A mention and what it stands for.

    ``concepts`` are ids that tell the same thing again within the document: CURIEs, or any other
    string for a name without a concept. A composite mention has several. ``names`` are further
    ones by which a written statement may mean it: its long form, its concept's preferred name.
    """

    start: int
    end: int
    label: str
    concepts: tuple[str, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class RelationText:
    """A document as relations are found in it.

    Attributes:
        text: the whole of it.
        mentions: in text order.
        sentences: starts and ends in characters, in text order.
        broader: concepts of which the document also names a narrower one; empty where no
            ontology was asked.
    """

    text: str
    mentions: tuple[ConceptMention, ...]
    sentences: tuple[tuple[int, int], ...]
    broader: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Relation:
    """A related pair of concepts, and the two mentions that stand nearest each other.

    ``subject_mention`` and ``object_mention`` are positions in :attr:`RelationText.mentions`.
    """

    subject: str
    object: str
    subject_mention: int
    object_mention: int
    relation: str
    score: float


def by_concept(text: RelationText, label: str) -> dict[str, list[int]]:
    """Positions of the mentions of each concept of a label, concepts by first mention."""
    groups: dict[str, list[int]] = {}
    for position, mention in enumerate(text.mentions):
        if mention.label == label:
            for concept in mention.concepts:
                groups.setdefault(concept, []).append(position)
    return groups


def pairs(text: RelationText, subject_label: str, object_label: str) -> Iterator[Pair]:
    """Every pair of a subject's and an object's concept, but for a concept with itself."""
    objects = by_concept(text, object_label)
    for subject in by_concept(text, subject_label):
        for other in objects:
            if subject != other:
                yield subject, other


def nearest(text: RelationText, subjects: Sequence[int], objects: Sequence[int]) -> tuple[int, int]:
    """The two mentions with the fewest characters between them; the first such in text order."""

    def gap(pair: tuple[int, int]) -> tuple[int, int, int]:
        one, other = text.mentions[pair[0]], text.mentions[pair[1]]
        between = max(one.start - other.end, other.start - one.end, 0)
        return between, *pair

    return min(((s, o) for s in subjects for o in objects), key=gap)


def sentence_numbers(text: RelationText) -> list[int]:
    """The sentence of each mention: the last one that begins at or before it; 0 without any."""
    numbers = []
    at = 0
    starts = [start for start, _ in text.sentences]
    for mention in text.mentions:
        while at + 1 < len(starts) and starts[at + 1] <= mention.start:
            at += 1
        while at > 0 and starts[at] > mention.start:
            at -= 1
        numbers.append(at)
    return numbers
