"""The name that a mention is linked by."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.lookup import lookup_text
from nlp.preprocess.abbreviations import Abbreviation


def _define(text: str, short: str, long: str) -> list[Abbreviation]:
    """Every occurrence of ``short`` as a word, defined by the first occurrence of ``long``."""
    at = text.index(long)
    return [
        Abbreviation(short, long, m.start(), m.end(), at, at + len(long))
        for m in re.finditer(rf"\b{re.escape(short)}\b", text)
    ]


def _lookup(text: str, mention: str, short: str, long: str, nth: int = 0) -> str:
    start = -1
    for _ in range(nth + 1):
        start = text.index(mention, start + 1)
    return lookup_text(text, start, start + len(mention), _define(text, short, long))


TEXT = "Acute kidney injury (AKI) is common. Severe AKI and post-AKI care, AKIN."


@pytest.mark.parametrize(
    ("mention", "expected"),
    [
        ("Acute kidney injury", "Acute kidney injury"),
        ("Acute kidney injury (AKI)", "Acute kidney injury"),
        ("Acute kidney injury (AKI", "Acute kidney injury"),
        ("Acute kidney injury (AKI) is", "Acute kidney injury is"),
        ("AKI", "Acute kidney injury"),
        ("(AKI)", "(Acute kidney injury)"),
        ("Severe AKI", "Severe Acute kidney injury"),
        ("post-AKI care", "post-Acute kidney injury care"),
        ("AKIN", "AKIN"),
        ("AK", "AK"),
        ("KI", "KI"),
    ],
)
def test_expansion(mention: str, expected: str) -> None:
    assert _lookup(TEXT, mention, "AKI", "Acute kidney injury") == expected


def test_definition_with_the_short_form_first() -> None:
    text = "AKI (acute kidney injury) care"
    assert _lookup(text, text, "AKI", "acute kidney injury") == "acute kidney injury care"
    assert _lookup(text, "AKI", "AKI", "acute kidney injury") == "acute kidney injury"


def test_a_suffix_stays_glued_to_the_long_form() -> None:
    text = "interleukin two (IL2)-induced fever"
    assert _lookup(text, text, "IL2", "interleukin two") == "interleukin two-induced fever"


def test_only_the_parenthesis_of_the_definition_is_dropped() -> None:
    text = "kidney injury (KI) or KI"
    assert _lookup(text, text, "KI", "kidney injury") == "kidney injury or kidney injury"


def test_definition_in_square_brackets() -> None:
    text = "kidney injury [KI] care; KI [kidney injury] care"
    assert _lookup(text, "kidney injury [KI] care", "KI", "kidney injury") == "kidney injury care"
    found = [Abbreviation("KI", "kidney injury", 25, 27, 29, 42)]
    assert lookup_text(text, 25, len(text), found) == "kidney injury care"


def test_short_forms_in_a_long_form_are_expanded() -> None:
    text = "blood pressure (BP); diastolic BP (DBP); DBP"
    found = [
        Abbreviation("BP", "blood pressure", 16, 18, 0, 14),
        Abbreviation("BP", "blood pressure", 31, 33, 0, 14),
        Abbreviation("DBP", "diastolic BP", 35, 38, 21, 33),
        Abbreviation("DBP", "diastolic BP", 41, 44, 21, 33),
    ]
    assert lookup_text(text, 41, 44, found) == "diastolic blood pressure"
    assert lookup_text(text, 21, 33, found) == "diastolic blood pressure"
    assert lookup_text(text, 21, 39, found) == "diastolic blood pressure"


def test_short_forms_that_define_each_other() -> None:
    text = "AB: CD e. CD: AB f."
    found = [
        Abbreviation("AB", "CD e", 0, 2, 4, 8),
        Abbreviation("CD", "AB f", 4, 6, 14, 18),
        Abbreviation("CD", "AB f", 10, 12, 14, 18),
        Abbreviation("AB", "CD e", 14, 16, 4, 8),
    ]
    assert lookup_text(text, 0, 2, found) == "AB f e"


def test_a_short_form_that_defines_itself() -> None:
    text = "CT (CT) scan"
    assert _lookup(text, "CT", "CT", "CT") == "CT"
    assert _lookup(text, "CT (CT)", "CT", "CT") == "CT"


def test_white_space_is_collapsed() -> None:
    text = "kidney\n\t injury (KI). KI \u00a0 pain"
    assert _lookup(text, "KI \u00a0 pain", "KI", "kidney\n\t injury") == "kidney injury pain"
    assert lookup_text(" a \n b ", 0, 7, []) == "a b"


def test_of_overlapping_short_forms_the_first_is_expanded() -> None:
    text = "first second (FS) third; FS T"
    found = [Abbreviation("FS", "first second", 25, 27, 0, 12)]
    found.append(Abbreviation("S T", "second third", 26, 29, 6, 12))
    assert lookup_text(text, 25, 29, found) == "first second T"


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, int, int, list[Abbreviation]]:
    text = draw(st.text(st.sampled_from("aB( )\n\u00a0é😀"), min_size=1, max_size=30))
    offsets = st.integers(0, len(text))

    def bounds() -> tuple[int, int]:
        one, other = draw(offsets), draw(offsets)
        return min(one, other), max(one, other)

    found = []
    for _ in range(draw(st.integers(0, 4))):
        (short_start, short_end), (long_start, long_end) = bounds(), bounds()
        found.append(
            Abbreviation(
                text[short_start:short_end],
                text[long_start:long_end],
                short_start,
                short_end,
                long_start,
                long_end,
            )
        )
    start, end = bounds()
    return text, start, end, sorted(found, key=lambda a: a.short_start_char)


@given(documents())
def test_never_blank_and_always_collapsed(
    document: tuple[str, int, int, list[Abbreviation]],
) -> None:
    text, start, end, found = document
    name = lookup_text(text, start, end, found)
    assert name == " ".join(name.split())
    assert bool(name) or not text[start:end].strip()


@given(st.text(), st.data())
def test_without_abbreviations_the_mention_itself(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    assert lookup_text(text, start, end, []) == " ".join(text[start:end].split())
