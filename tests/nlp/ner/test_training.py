"""What partial annotation teaches, word by word."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nlp.ner.engine import Words
from nlp.ner.tags import bio_tags
from nlp.ner.training import GoldText, allowed_tags

TAGS = bio_tags(["A", "B"])


def _words(*bounds: tuple[int, int]) -> Words:
    starts = np.array([b[0] for b in bounds], dtype=np.int64)
    ends = np.array([b[1] for b in bounds], dtype=np.int64)
    return Words(np.arange(len(bounds)), np.arange(len(bounds)), starts, ends)


FOUR = _words((0, 2), (3, 5), (6, 8), (9, 11))


def _allowed(*mentions: tuple[int, int, str], annotated: str = "AB") -> list[set[str]]:
    gold = GoldText("xx xx xx xx", mentions, frozenset(annotated))
    return [{TAGS[i] for i in np.flatnonzero(row)} for row in allowed_tags(FOUR, gold, TAGS)]


def test_fully_annotated_text_allows_one_tag_a_word() -> None:
    assert _allowed((3, 8, "A")) == [{"O"}, {"B-A"}, {"I-A"}, {"O"}]


def test_silence_about_a_label_is_not_absence() -> None:
    free = {"O", "B-B", "I-B"}
    assert _allowed((3, 8, "A"), annotated="A") == [free, {"B-A"}, {"I-A"}, free]


def test_mentions_of_labels_not_annotated_are_not_taught() -> None:
    assert _allowed((3, 8, "B"), annotated="A") == [{"O", "B-B", "I-B"}] * 4


def test_a_word_belongs_to_a_mention_when_they_share_a_character() -> None:
    assert _allowed((4, 7, "A")) == [{"O"}, {"B-A"}, {"I-A"}, {"O"}]
    assert _allowed((2, 3, "A")) == [{"O"}] * 4
    assert _allowed((5, 6, "A")) == [{"O"}] * 4


def test_of_overlapping_mentions_the_longest_is_taught() -> None:
    shorter, longer = (0, 5, "A"), (3, 11, "B")
    taught = [{"O"}, {"B-B"}, {"I-B"}, {"I-B"}]
    assert _allowed(shorter, longer) == _allowed(longer, shorter) == taught


def test_touching_mentions_each_begin() -> None:
    assert _allowed((0, 5, "A"), (6, 11, "A")) == [{"B-A"}, {"I-A"}, {"B-A"}, {"I-A"}]


def test_text_without_words() -> None:
    assert allowed_tags(_words(), GoldText("", (), frozenset("A")), TAGS).shape == (0, 5)


@given(
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.sampled_from("AB")), max_size=5),
    st.sampled_from(["", "A", "B", "AB"]),
)
def test_every_word_keeps_a_tag_that_can_follow(
    bounds: list[tuple[int, int, str]], annotated: str
) -> None:
    mentions = [(min(a, b), max(a, b), label) for a, b, label in bounds]
    rows = _allowed(*mentions, annotated=annotated)
    previous: set[str] = {"O"}
    for allowed in rows:
        assert allowed
        for tag in allowed:
            if tag[0] == "I" and len(allowed) == 1:
                assert previous & {f"B-{tag[2:]}", tag}
        previous = allowed
