"""Short forms read by a document's other mentions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.long_forms import lookup_texts
from nlp.lookup import lookup_text
from nlp.preprocess.abbreviations import Abbreviation
from ontologies.short_form import LONGEST_SHORT_FORM, is_short_form

WORDS = st.sampled_from(
    ["myotonic", "dystrophy", "DM", "(", ")", ",", "Dex", "dexamethasone", "of"]
)


def names(text: str, *mentions: str, label: str = "Disease") -> list[str]:
    """Lookup texts of mentions, each the next occurrence of its words."""
    spans, start = [], 0
    for mention in mentions:
        start = text.index(mention, start)
        spans.append((start, start + len(mention), label))
        start += len(mention)
    return lookup_texts(text, spans, ())


@pytest.mark.parametrize(
    ("text", "mentions", "long"),
    [
        # In parentheses, though its letters do not stand in order.
        ("Myotonic dystrophy (DM) is rare. DM runs", ["Myotonic dystrophy", "DM", "DM"], 0),
        ("Myotonic dystrophy [DM; type 1], DM", ["Myotonic dystrophy", "DM", "DM"], 0),
        # Initials, with and without small words.
        ("Huntington disease is rare. HD runs", ["Huntington disease", "HD"], 0),
        ("failure of the heart. FH", ["failure of the heart", "FH"], 0),
        # A beginning, and letters in order.
        ("dexamethasone, then Dex8", ["dexamethasone", "Dex8"], None),
        ("dexamethasone. DEX", ["dexamethasone", "DEX"], 0),
        ("diethylstilbestrol. DES", ["diethylstilbestrol", "DES"], 0),
        # Two that fit as well: neither.
        (
            "Huntington disease, Hodgkin disease; HD",
            ["Huntington disease", "Hodgkin disease", "HD"],
            None,
        ),
        # One that fits better.
        ("heart disease, hepatodystonia; HD", ["heart disease", "hepatodystonia", "HD"], 0),
        # What holds the short form itself is not what it stands for.
        ("gamma-vinyl GABA, GABA", ["gamma-vinyl GABA", "GABA"], None),
        ("Gout. HD", ["Gout", "HD"], None),
    ],
)
def test_short_forms_are_read_by_other_mentions(
    text: str, mentions: list[str], long: int | None
) -> None:
    found = names(text, *mentions)
    assert found[-1] == (mentions[-1] if long is None else mentions[long])


def test_a_short_form_within_a_mention_is_read_too() -> None:
    text = "polyposis coli (PC) and attenuated PC, but PC-like"
    found = names(text, "polyposis coli", "PC", "attenuated PC", "PC-like")
    assert found == ["polyposis coli", "polyposis coli", "attenuated polyposis coli", "PC-like"]


def test_only_mentions_of_the_label_count() -> None:
    text = "Huntington disease and HD"
    spans = [(0, 18, "Disease"), (23, 25, "Chemical")]
    assert lookup_texts(text, spans, ()) == ["Huntington disease", "HD"]


def test_a_definition_of_the_text_comes_first() -> None:
    text = "heart disease. Huntington disease (HD). attenuated HD"
    long, short = text.index("Hunt"), text.index("HD")
    defined = [Abbreviation("HD", "Huntington disease", short, short + 2, long, long + 18)]
    spans = [
        (0, 13, "Disease"),
        (short, short + 2, "Disease"),
        (len(text) - 13, len(text), "Disease"),
    ]
    assert lookup_texts(text, spans, defined) == [
        "heart disease",
        "Huntington disease",
        "attenuated Huntington disease",
    ]


@pytest.mark.parametrize("name", ["DM", "Na", "5-FU", "FK506", "U-II", "SSRIs"])
def test_short_forms(name: str) -> None:
    assert is_short_form(name)


@pytest.mark.parametrize(
    "name", ["", "A", "Gout", "gout", "DM type", "Thrombocytopenia", "ABCDEFGHI"]
)
def test_other_names(name: str) -> None:
    assert not is_short_form(name)


@given(st.lists(WORDS, min_size=1, max_size=12), st.data())
def test_each_mention_has_a_name_that_hangs_on_no_order(
    words: list[str], data: st.DataObject
) -> None:
    text = " ".join(words)
    bounds, start = [], 0
    for word in words:
        bounds.append((start, start + len(word), "Disease"))
        start += len(word) + 1
    spans = data.draw(st.lists(st.sampled_from(bounds), unique=True, max_size=6))
    found = lookup_texts(text, spans, ())
    assert len(found) == len(spans)
    assert all(found)
    assert dict(zip(spans, found, strict=True)) == dict(
        zip(reversed(spans), lookup_texts(text, spans[::-1], ()), strict=True)
    )
    for (start, end, _), name in zip(spans, found, strict=True):
        plain = lookup_text(text, start, end, ())
        assert name == plain or len(plain) <= LONGEST_SHORT_FORM
