"""Sentences that a model wrote, read back as relations."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.generation.errors import GenerationError
from nlp.relations.patterns import load_patterns
from nlp.relations.statements import ReadText, read_statements
from nlp.relations.text import ConceptMention, RelationText
from tests.nlp.relations.texts import relation_text

PATTERNS = load_patterns("sentences")
TEXT = relation_text("Lithium and heparin. Cyanosis or an ulcer.", names=("Long Name",))


def _read(written: str, text: RelationText = TEXT) -> ReadText:
    return read_statements(written, text, PATTERNS)


def _pairs(read: ReadText) -> list[tuple[str, str, str]]:
    return [(r.subject, r.relation, r.object) for r in read.relations]


def test_statements_become_relations_between_mentions() -> None:
    read = _read(
        "the relation between lithium and cyanosis exists; "
        "The relation between HEPARIN and ulcer exists."
    )
    assert _pairs(read) == [
        ("LITHIUM", "chemical_induces_disease", "CYANOSIS"),
        ("HEPARIN", "chemical_induces_disease", "ULCER"),
    ]
    assert (read.statements, read.unparsed) == (2, 0)
    first = read.relations[0]
    assert TEXT.mentions[first.subject_mention].concepts == ("LITHIUM",)
    assert TEXT.mentions[first.object_mention].concepts == ("CYANOSIS",)


@pytest.mark.parametrize(
    "written",
    [
        "lithium causes cyanosis",
        "the relation between lithium and gold exists",
        "the relation between cyanosis and lithium exists",  # labels the wrong way round
        "the relation between lithium and heparin exists",
        "the relation between lithium and cyanosis",
        "the relation between  and cyanosis exists",
    ],
)
def test_what_cannot_be_placed_is_counted(written: str) -> None:
    read = _read(f"{written}; the relation between heparin and ulcer exists.")
    assert _pairs(read) == [("HEPARIN", "chemical_induces_disease", "ULCER")]
    assert (read.statements, read.unparsed) == (2, 1)


def test_repeated_statements_are_one_relation_and_nothing_is_none() -> None:
    twice = "the relation between lithium and ulcer exists; " * 2
    assert len(_read(twice).relations) == 1 and _read(twice).unparsed == 0
    for empty in ("", "  ", "none", "None.", ";;."):
        assert _read(empty) == ReadText((), 0, 0)


def test_names_hold_and_marks_and_white_space() -> None:
    words = "5-fluorouracil st. john's wort, head and neck cancer"
    spans = [(0, 14, "Chemical"), (15, 30, "Chemical"), (32, 52, "Disease")]
    assert words[32:52] == "head and neck cancer"
    text = RelationText(
        words,
        tuple(ConceptMention(a, b, label, (words[a:b],)) for a, b, label in spans),
        ((0, 52),),
    )
    read = _read(
        "the relation between 5 - fluorouracil and head and neck cancer exists; "
        "the relation between St. John 's wort and head and neck  cancer exists.",
        text,
    )
    assert [(r.subject, r.object) for r in read.relations] == [
        ("5-fluorouracil", "head and neck cancer"),
        ("st. john's wort", "head and neck cancer"),
    ]
    assert read.unparsed == 0


def test_further_names_mean_a_mention_too() -> None:
    text = RelationText(
        "ASA ulcer",
        (
            ConceptMention(0, 3, "Chemical", ("C1",), ("acetylsalicylic acid", "Aspirin")),
            ConceptMention(4, 9, "Disease", ("D1",)),
        ),
        ((0, 9),),
    )
    for name in ("ASA", "acetylsalicylic acid", "aspirin"):
        assert len(_read(f"the relation between {name} and ulcer exists", text).relations) == 1


def test_typed_relations_take_their_type_from_the_sentence() -> None:
    text = relation_text("Lithium and heparin.")
    read = _read("the interaction between lithium and heparin is Mechanism of action.", text)
    assert _pairs(read) == [("LITHIUM", "mechanism_of_action", "HEPARIN")]


def test_patterns_are_of_any_language_and_case(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        '[[statement]]\npattern = "die Größe: {subject} stört {object} außen"\nrelation = "r"',
        encoding="utf-8",
    )
    mine = load_patterns(str(path))
    for written in (
        "die Größe: lithium stört cyanosis außen",
        "DIE GRÖßE: Lithium STÖRT Cyanosis AUßEN.",
    ):
        read = read_statements(written, TEXT, mine)
        assert _pairs(read) == [("LITHIUM", "r", "CYANOSIS")]


_WORDS = (
    *("the relation between", "the interaction between", "and", "is", "exists", "none"),
    *("lithium", "cyanosis", "ulcer", "gold", ";", ".", "\n", "\u0130", "\u00df", "\ufb01"),
)


@given(st.lists(st.sampled_from(_WORDS), max_size=30).map(" ".join))
def test_only_mentions_with_the_labels_of_a_pattern_are_related(written: str) -> None:
    read = _read(written)
    assert 0 <= read.unparsed <= read.statements
    for relation in read.relations:
        sides = (TEXT.mentions[relation.subject_mention], TEXT.mentions[relation.object_mention])
        assert [side.label for side in sides] == ["Chemical", "Disease"]
        assert (relation.subject,) == sides[0].concepts and (relation.object,) == sides[1].concepts


@given(st.text(alphabet="the relation between lithium and cyanosis exists;. \n", max_size=200))
def test_every_statement_is_placed_or_counted(written: str) -> None:
    read = _read(written)
    assert read.statements >= read.unparsed >= 0
    assert len(read.relations) <= read.statements - read.unparsed


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "no .*statement"),
        ('[[statement]]\npattern = "{subject} x {object}"\nrelation = "r"', "words must stand"),
        ('[[statement]]\npattern = "a {subject} b"\nrelation = "r"', "subject.*object"),
        ('[[statement]]\npattern = "a {subject} b {object}"', "say either"),
        ('[[statement]]\npattern = "a {subject} b {object}"\nrelation = "r"\nx = 1', "key x"),
        ("x = [", "no TOML"),
    ],
)
def test_a_bad_file_of_patterns_is_named(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(GenerationError, match=f"mine.toml.*{problem}"):
        load_patterns(str(path))


def test_an_unknown_name_lists_those_in_the_box() -> None:
    with pytest.raises(GenerationError, match="sentences"):
        load_patterns("other")
