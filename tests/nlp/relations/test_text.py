"""Pairs of a text, and what is known of them without reading."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nlp.relations.features import FEATURES, pair_features
from nlp.relations.text import ConceptMention, RelationText, nearest, pairs, sentence_numbers
from tests.nlp.relations.texts import CHEMICALS, DISEASES, relation_text

TEXT = "Lithium toxicity. Heparin and lithium were given. Cyanosis and an ulcer were seen."


def _features(text: RelationText) -> dict[tuple[str, str], dict[str, float]]:
    found, rows = pair_features(text, "Chemical", "Disease")
    return {
        pair: dict(zip(FEATURES, row, strict=True))
        for pair, row in zip(found, rows.tolist(), strict=True)
    }


def test_pairs_are_all_of_the_two_labels() -> None:
    assert list(pairs(relation_text(TEXT), "Chemical", "Disease")) == [
        ("LITHIUM", "CYANOSIS"),
        ("LITHIUM", "ULCER"),
        ("HEPARIN", "CYANOSIS"),
        ("HEPARIN", "ULCER"),
    ]


def test_a_composite_mention_belongs_to_each_of_its_concepts_and_none_to_none() -> None:
    text = RelationText(
        "a b c",
        (
            ConceptMention(0, 1, "Chemical", ("C1",)),
            ConceptMention(2, 3, "Disease", ("D1", "D2")),
            ConceptMention(4, 5, "Disease", ()),
        ),
        ((0, 5),),
    )
    assert list(pairs(text, "Chemical", "Disease")) == [("C1", "D1"), ("C1", "D2")]


def test_features_say_where_and_how_often_concepts_are_named() -> None:
    found = _features(relation_text(TEXT, broader=frozenset({"ULCER"})))
    lithium, heparin = found["LITHIUM", "CYANOSIS"], found["HEPARIN", "ULCER"]
    assert lithium["subject_in_first_sentence"] == 1 and heparin["subject_in_first_sentence"] == 0
    assert lithium["subject_mentions"] > heparin["subject_mentions"]
    assert (lithium["subject_rank"], heparin["subject_rank"]) == (1.0, 0.5)
    assert (lithium["same_sentence"], lithium["next_sentence"]) == (0, 1)
    assert (lithium["object_has_narrower"], heparin["object_has_narrower"]) == (0, 1)
    assert heparin["characters_apart"] > lithium["characters_apart"] > 0


def test_the_nearest_mentions_are_those_with_the_fewest_characters_between() -> None:
    text = relation_text("Lithium. There was no cyanosis. Then nausea, lithium and cyanosis.")
    chemicals = [n for n, m in enumerate(text.mentions) if m.concepts == ("LITHIUM",)]
    diseases = [n for n, m in enumerate(text.mentions) if m.concepts == ("CYANOSIS",)]
    one, other = (text.mentions[n] for n in nearest(text, chemicals, diseases))
    assert text.text[one.start : other.end] == "lithium and cyanosis"


@given(st.lists(st.sampled_from([*CHEMICALS, *DISEASES, "and", "."]), max_size=30))
def test_features_are_finite_whatever_is_named(words: list[str]) -> None:
    text = relation_text(" ".join(words))
    found, rows = pair_features(text, "Chemical", "Disease")
    assert rows.shape == (len(found), len(FEATURES))
    assert ((rows >= 0) & (rows <= 3)).all()
    assert found == list(pairs(text, "Chemical", "Disease"))
    numbers = sentence_numbers(text)
    for number, mention in zip(numbers, text.mentions, strict=True):
        # A mention after the last full stop belongs to no sentence: the last one stands for it.
        inside = [n for n, (a, b) in enumerate(text.sentences) if a <= mention.start < b]
        assert not inside or inside == [number]
