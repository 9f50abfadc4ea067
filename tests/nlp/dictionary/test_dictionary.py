"""Longest matches of a store's names, and what the filters take out."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.dictionary import DictionaryError
from nlp.dictionary.dictionary import SCORE, Dictionary
from nlp.dictionary.source import find_dictionaries
from nlp.settings import DictionarySettings
from ontologies.store import ConceptStore

from .conftest import MakeStore

Found = list[tuple[str, str]]


def find(store: ConceptStore, text: str, **settings: Any) -> Found:
    """Mention text and label of what is found in a text that is one sentence."""
    dictionary = Dictionary(store, DictionarySettings(**settings))
    (spans,) = dictionary.find([text], [[(0, len(text))]])
    assert all(span.score == SCORE for span in spans)
    return [(text[span.start : span.end], span.label) for span in spans]


NAMES = ["xa", "xb", "xa xb", "xb xa", "xa xb xc", "xc", "xd xd", "xa xc xb xd", "x7 xa"]
WORDS = ["xa", "XB", "Xc", "xd", "x7", "zz", "7"]


@pytest.fixture(scope="module")
def letters(make_store: MakeStore) -> Dictionary:
    store = make_store(*((name, "C01") for name in NAMES))
    return Dictionary(store, DictionarySettings(min_characters=1, same_case=0))


@pytest.fixture(scope="module")
def ward_of_letters(make_store: MakeStore) -> Dictionary:
    """The same names as chemicals, which go by what stands around them, with every filter."""
    store = make_store(*((name, "D03") for name in NAMES))
    return Dictionary(store, DictionarySettings(min_characters=2))


def by_force(texts: list[list[str]], gaps: list[list[str]]) -> list[list[tuple[int, int]]]:
    """Longest matches by trying every run of words."""
    found = []
    for words, between in zip(texts, gaps, strict=True):
        pieces = [w + g for w, g in zip(words, between, strict=True)]
        starts = list(accumulate(map(len, pieces), initial=0))
        spans = [
            (starts[i], starts[j] + len(words[j]))
            for i in range(len(words))
            for j in range(i, len(words))
            if " ".join(words[i : j + 1]).lower() in NAMES
            and not any("; " in gap or "\n\n" in gap for gap in between[i:j])
        ]
        kept: list[tuple[int, int]] = []
        for start, end in sorted(spans, key=lambda span: (span[0] - span[1], span[0])):
            if all(end <= a or b <= start for a, b in kept):
                kept.append((start, end))
        found.append(sorted(kept))
    return found


@given(
    st.lists(
        st.lists(
            st.tuples(
                st.sampled_from(WORDS), st.sampled_from([" ", "-", ", ", "\n", "; ", "\n\n"])
            ),
            max_size=10,
        ),
        max_size=3,
    )
)
def test_the_longest_matches_are_found_at_their_offsets(
    letters: Dictionary, documents: list[list[tuple[str, str]]]
) -> None:
    texts = ["".join(word + gap for word, gap in document) for document in documents]
    found = letters.find(texts, [[(0, len(text))] if text else [] for text in texts])
    expected = by_force(
        [[w for w, _ in d] for d in documents], [[g for _, g in d] for d in documents]
    )
    assert [[(span.start, span.end) for span in spans] for spans in found] == expected


PIECES = [*WORDS, "XA", "xA", "ZZ", "β", "😀", " ", " ", "-", ":", ";", ".", "\n", "'s", "7-"]


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=10).map("".join), max_size=4))
def test_neighbours_change_nothing(ward_of_letters: Dictionary, texts: list[str]) -> None:
    sentences = [[(0, len(text))] for text in texts]
    alone = [ward_of_letters.find([t], [s])[0] for t, s in zip(texts, sentences, strict=True)]
    assert ward_of_letters.find(texts, sentences) == alone


def test_no_match_goes_over_the_end_of_a_sentence(ward: ConceptStore) -> None:
    text = "No heart. Failure of the pump. Heart failure."
    sentences = [(0, 9), (10, 30), (31, 45)]
    (spans,) = Dictionary(ward, DictionarySettings()).find([text], [sentences])
    assert [(s.start, s.end) for s in spans] == [(3, 8), (31, 44)]


@pytest.mark.parametrize("between", ["; ", ":\n", "\n\n", "\n \t\n"])
def test_no_match_goes_over_a_break(ward: ConceptStore, between: str) -> None:
    assert find(ward, f"heart{between}failure") == [("heart", "Anatomy")]


def test_a_line_may_end_within_a_match(ward: ConceptStore) -> None:
    assert find(ward, "acute heart\n failure") == [("heart\n failure", "Disease")]


def test_names_are_found_in_their_natural_order_too(ward: ConceptStore) -> None:
    text = "Respiratory failure, essential hypertension"
    assert find(ward, text) == [
        ("Respiratory failure", "Disease"),
        ("essential hypertension", "Disease"),
    ]


def test_a_possessive_and_quotes_are_no_part_of_a_mention(ward: ConceptStore) -> None:
    assert find(ward, "the heart's 'pain'") == [("heart", "Anatomy"), ("pain", "Disease")]


def test_every_type_has_one_label(ward: ConceptStore) -> None:
    text = "Fever, pain; appendectomy, albumin, fluorouracil, analgesics and weather for cats"
    assert find(ward, text) == [
        ("Fever", "Finding"),
        ("pain", "Disease"),
        ("appendectomy", "Procedure"),
        ("albumin", "Gene"),
        ("fluorouracil", "Chemical"),
        ("cats", "Species"),
    ]


def test_labels_and_types_that_are_wanted(ward: ConceptStore) -> None:
    text = "fever, pain, heart, appendectomy"
    wanted = find(ward, text, labels=("Finding", "Procedure"))
    assert wanted == [("fever", "Finding"), ("appendectomy", "Procedure")]
    assert find(ward, text, types=("C23",)) == [("fever", "Finding"), ("pain", "Disease")]
    assert find(ward, text, types=("C23",), labels=("Disease",)) == [("pain", "Disease")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALL in remission", []),  # a stop word, however written
        ("given ALLO today", [("ALLO", "Disease")]),
        ("given allo today", []),
        ("ACh released", [("ACh", "Chemical")]),
        ("ach and aches", [("aches", "Finding")]),
        ("a CAT scan", [("CAT", "Species")]),  # in capitals as one of its names is
        ("the PAIN was", []),
        ("PAIN: none", [("PAIN", "Disease")]),
        ("NO PAIN AT REST", [("PAIN", "Disease")]),
        ("Pain", [("Pain", "Disease")]),
    ],
)
def test_short_matches_go_by_their_capitals(ward: ConceptStore, text: str, expected: Found) -> None:
    assert find(ward, text) == expected


def test_how_short_is_a_setting(ward: ConceptStore) -> None:
    assert find(ward, "given allo today", same_case=3) == [("allo", "Disease")]


@pytest.mark.parametrize("before", ["5-", "alpha-", "17β-", "N-", "(R)-"])
def test_the_rest_of_a_chemical_is_another_one(ward: ConceptStore, before: str) -> None:
    assert find(ward, f"{before}fluorouracil") == []


@pytest.mark.parametrize("before", ["anti-", "low-dose-", "x - ", "5 ", "IL12-", "(placebo)-"])
def test_other_words_before_a_chemical_are_none_of_it(ward: ConceptStore, before: str) -> None:
    assert find(ward, f"{before}fluorouracil") == [("fluorouracil", "Chemical")]


def test_shortest_mention(ward: ConceptStore) -> None:
    assert find(ward, "pain and fever", min_characters=5) == [("fever", "Finding")]


def test_stop_words_of_the_user(ward: ConceptStore, tmp_path: Path) -> None:
    file = tmp_path / "stop.txt"
    file.write_text("Fevers  # a heading here\n\nheart failure, cat\n", encoding="utf-8")
    text = "fever, heart failure and pain"
    assert find(ward, text, stop_words=file) == [("heart", "Anatomy"), ("pain", "Disease")]
    with pytest.raises(DictionaryError, match=r"nowhere\.txt"):
        find(ward, text, stop_words=tmp_path / "nowhere.txt")


def test_adjectives_of_organs_are_no_organs_alone(ward: ConceptStore) -> None:
    assert find(ward, "cardiac failure, cardiac") == [("cardiac failure", "Disease")]


def test_nothing_to_look_in(ward: ConceptStore) -> None:
    dictionary = Dictionary(ward, DictionarySettings())
    assert dictionary.find([], []) == []
    assert dictionary.find(["", " \n"], [[], []]) == [[], []]


def test_what_a_dictionary_finds(ward: ConceptStore, tmp_path: Path) -> None:
    def sources(**settings: Any) -> list[tuple[str, tuple[str, ...]]]:
        found = find_dictionaries(DictionarySettings(**{"stores": (str(ward.path),)} | settings))
        return [(source.name, source.labels) for source in found]

    ((name, labels),) = sources()
    assert name == f"dictionary:{ward.release.release_id}"
    assert labels == (
        *("Disease", "Finding", "Procedure", "Chemical", "Gene", "Species", "Anatomy"),
    )
    assert sources(labels=("Gene",)) == [(name, ("Gene",))]
    assert sources(stores=()) == []
    with pytest.raises(DictionaryError, match="Diseases"):
        sources(labels=("Diseases",))
    with pytest.raises(DictionaryError, match=r"dictionary\.types"):
        sources(types=("T047",))
    with pytest.raises(DictionaryError, match="does not exist"):
        sources(stores=(str(tmp_path / "nowhere"),))
    with pytest.raises(DictionaryError, match="given twice"):
        sources(stores=(str(ward.path), str(ward.path)))
