"""What holds for every text."""

from __future__ import annotations

import math
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.quantities.find import find_quantities
from nlp.quantities.units import conversion

PIECES = (
    *(
        "5",
        "12.5",
        "120/80",
        "1,000",
        "0.05",
        "½",
        "one",
        "two",
        "10-20",
        "3 x 4",
        "2019",
        "3/4/19",
    ),
    *(
        "mg",
        "mL",
        "cm",
        "%",
        "units",
        "tablets",
        "days",
        "weeks ago",
        "/",
        "-",
        "to",
        "per",
        "a day",
    ),
    *("BP", "K", "creatinine", "was", "of", "<", "weight", "age", "T", "EF", "aspirin", "mass"),
    *(
        "q6h",
        "b.i.d.",
        "p.r.n.",
        "daily",
        "every",
        "hours",
        "times",
        "March",
        "5,",
        "[DATE]",
        "****",
    ),
    *(".", ",", ";", "\n", "year-old", "F", "degrees", "°", "in", "feet", "'", '"', "é", "١"),
)
TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(PIECES), max_size=20).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=20).map("".join),
)
KINDS = frozenset(
    "strength dose frequency duration lab_value vital_sign date age measure".split()  # noqa: SIM905
)


@given(TEXTS, st.data())
def test_rows_are_sound(text: str, data: st.DataObject) -> None:
    places = st.integers(0, len(text))
    bounds = sorted(data.draw(st.sets(places, max_size=6)))
    sentences = [(a, b) for a, b in pairwise(bounds) if text[a:b].strip()] or [(0, len(text))]
    edges = sorted(data.draw(st.sets(places, max_size=8)))
    labels = st.sampled_from(["Chemical", "Disease", "Gene"])
    mentions = [(a, b, data.draw(labels)) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    found = find_quantities(text, sentences if text else [], [], mentions)
    last = 0
    for quantity in found:
        assert last <= quantity.start_char < quantity.end_char <= len(text)
        last = quantity.end_char
        words = text[quantity.start_char : quantity.end_char]
        assert words == words.strip()
        assert quantity.kind in KINDS
        assert quantity.mention_id is None or 0 <= quantity.mention_id < len(mentions)
        for number in (quantity.value, quantity.high, quantity.base_value, quantity.base_high):
            assert number is None or math.isfinite(number)
        if quantity.unit is None:
            assert quantity.base_value is None
            assert quantity.base_unit is None
        else:
            found_conversion = conversion(quantity.unit, quantity.kind)
            assert found_conversion is not None
            assert quantity.base_unit == found_conversion.unit
        if quantity.high is not None and quantity.name != "blood_pressure":
            assert quantity.value is not None
            assert quantity.value <= quantity.high


@given(TEXTS)
def test_what_stands_before_a_paragraph_changes_nothing(text: str) -> None:
    def places(before: str) -> list[tuple[int, int, str]]:
        whole = before + text
        sentences = [(0, len(whole))] if whole.strip() else []
        return [
            (q.start_char - len(before), q.end_char - len(before), q.kind)
            for q in find_quantities(whole, sentences, [], [])
        ]

    assert places("Nothing of interest here.\n\n") == places("\n\n")


@pytest.mark.parametrize(
    "unit",
    [
        *("1", " ", "\n", "1 ", "1,111", "1.", "1/", "1-", "1 x ", "5 mg ", "one to ", "every "),
        *("one and ", "hemoglobin of ", "was ", "<", "[DATE] ", "May ", "5' ", "q. ", ",", "120/"),
    ],
)
def test_time_grows_with_the_length_only(unit: str) -> None:
    def seconds(characters: int) -> float:
        text = unit * (characters // len(unit))
        clock = time.process_time()
        find_quantities(text, [(0, len(text))] if text.strip() else [], [], [])
        return time.process_time() - clock

    seconds(1_000)
    short = min(seconds(5_000) for _ in range(2))
    long = min(seconds(20_000) for _ in range(2))
    assert long < 12 * short + 0.1
