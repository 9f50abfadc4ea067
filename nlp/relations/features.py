"""What is known of a pair of concepts without reading: how often and where they are named."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nlp.relations.text import RelationText, by_concept, nearest, sentence_numbers

FEATURES = (
    "subject_mentions",
    "object_mentions",
    "subject_rank",
    "object_rank",
    "subjects",
    "objects",
    "subject_in_first_sentence",
    "object_in_first_sentence",
    "both_in_first_sentence",
    "subject_in_last_sentence",
    "object_in_last_sentence",
    "subject_first_place",
    "object_first_place",
    "shared_sentences",
    "same_sentence",
    "next_sentence",
    "sentences_apart",
    "characters_apart",
    "object_has_narrower",
)
"""Names of the columns, in order; of an abstract the first sentence is its title."""


def pair_features(
    text: RelationText, subject_label: str, object_label: str
) -> tuple[list[tuple[str, str]], NDArray[np.float32]]:
    """The candidate pairs of a text and their features.

    Returns:
        The pairs in the order of :func:`nlp.relations.text.pairs`, and numbers of about 0 to 1,
        shape (pairs, ``len(FEATURES)``).
    """
    subjects, objects = by_concept(text, subject_label), by_concept(text, object_label)
    numbers = sentence_numbers(text)
    last = max(1, len(text.sentences)) - 1
    length = max(1, len(text.text))
    sides = {
        side: {c: _side(text, its, numbers, groups, last, length) for c, its in groups.items()}
        for side, groups in (("subject", subjects), ("object", objects))
    }
    found: list[tuple[str, str]] = []
    rows: list[list[float]] = []
    for subject, its in subjects.items():
        for other, others in objects.items():
            if subject == other:
                continue
            s, o = sides["subject"][subject], sides["object"][other]
            in_s, in_o = {numbers[m] for m in its}, {numbers[m] for m in others}
            apart = min(abs(a - b) for a in in_s for b in in_o)
            one, two = (text.mentions[m] for m in nearest(text, its, others))
            between = max(one.start - two.end, two.start - one.end, 0)
            found.append((subject, other))
            rows.append(
                [
                    *(s[0], o[0], s[1], o[1]),
                    *(math.log1p(len(subjects)) / 3, math.log1p(len(objects)) / 3),
                    *(s[2], o[2], s[2] * o[2], s[3], o[3], s[4], o[4]),
                    math.log1p(len(in_s & in_o)),
                    float(apart == 0),
                    float(apart == 1),
                    min(apart, 10) / 10,
                    math.log1p(between) / 8,
                    float(other in text.broader),
                ]
            )
    shape = (len(rows), len(FEATURES))
    return found, np.array(rows, dtype=np.float32).reshape(shape)


def _side(
    text: RelationText,
    mentions: Sequence[int],
    numbers: Sequence[int],
    groups: dict[str, list[int]],
    last: int,
    length: int,
) -> tuple[float, float, float, float, float]:
    """Mentions, rank by mentions, in the first sentence, in the last one, place of the first."""
    more = sum(len(other) > len(mentions) for other in groups.values())
    return (
        math.log1p(len(mentions)) / 2,
        1 / (1 + more),
        float(any(numbers[m] == 0 for m in mentions)),
        float(any(numbers[m] == last for m in mentions)),
        text.mentions[mentions[0]].start / length,
    )
