"""What partial annotation teaches, word by word."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nlp.ner.training import GoldText
from nlp.ner.training.gold import allowed_tags

STARTS = np.array([0, 3, 6, 9])
ENDS = STARTS + 2
FREE = "OBI"


def _allowed(*mentions: tuple[int, int, str], annotated: str = "AB") -> list[tuple[str, str]]:
    """Per word the tags that labels A and B allow, as letters."""
    gold = GoldText("xx xx xx xx", mentions, frozenset(annotated))
    rows = allowed_tags(gold, STARTS, ENDS, "AB")
    return [
        ("".join(np.array(list("OBI"))[word[0]]), "".join(np.array(list("OBI"))[word[1]]))
        for word in rows
    ]


def test_fully_annotated_text_allows_one_tag_a_word_and_label() -> None:
    assert _allowed((3, 8, "A")) == [("O", "O"), ("B", "O"), ("I", "O"), ("O", "O")]


def test_silence_about_a_label_is_not_absence() -> None:
    expected = [("O", FREE), ("B", FREE), ("I", FREE), ("O", FREE)]
    assert _allowed((3, 8, "A"), annotated="A") == expected


def test_labels_the_model_lacks_are_not_taught() -> None:
    assert _allowed((3, 8, "C"), annotated="AC") == [("O", FREE)] * 4


def test_a_word_belongs_to_a_mention_when_they_share_a_character() -> None:
    assert [a for a, _ in _allowed((4, 7, "A"))] == ["O", "B", "I", "O"]
    assert [a for a, _ in _allowed((2, 3, "A"))] == ["O"] * 4
    assert [a for a, _ in _allowed((5, 6, "A"))] == ["O"] * 4


def test_of_overlapping_mentions_of_a_label_the_longest_is_taught() -> None:
    shorter, longer = (0, 5, "A"), (3, 11, "A")
    assert [a for a, _ in _allowed(shorter, longer)] == ["O", "B", "I", "I"]
    assert _allowed(shorter, longer) == _allowed(longer, shorter)


def test_overlapping_mentions_of_two_labels_are_both_taught() -> None:
    expected = [("B", "O"), ("I", "B"), ("O", "I"), ("O", "I")]
    assert _allowed((0, 5, "A"), (3, 11, "B")) == expected


def test_touching_mentions_each_begin() -> None:
    assert [a for a, _ in _allowed((0, 5, "A"), (6, 11, "A"))] == ["B", "I", "B", "I"]


def test_text_without_words() -> None:
    none = np.empty(0, dtype=np.int64)
    assert allowed_tags(GoldText("", (), frozenset("A")), none, none, "AB").shape == (0, 2, 3)


@given(
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.sampled_from("AB")), max_size=5),
    st.sampled_from(["", "A", "B", "AB"]),
)
def test_some_sequence_of_tags_is_always_allowed(
    bounds: list[tuple[int, int, str]], annotated: str
) -> None:
    mentions = [(min(a, b), max(a, b), label) for a, b, label in bounds]
    for label, column in (("A", 0), ("B", 1)):
        tags = [word[column] for word in _allowed(*mentions, annotated=annotated)]
        if label not in annotated:
            assert tags == [FREE] * 4
            continue
        assert all(len(tag) == 1 for tag in tags)
        assert not any(
            tag == "I" and before == "O" for before, tag in zip(["O", *tags], tags, strict=False)
        )
