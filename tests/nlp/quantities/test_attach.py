"""Which mention a quantity belongs to."""

from __future__ import annotations

from typing import Any

import pytest

from nlp.preprocess.sections import Section


def pairs(found: list[Any]) -> list[tuple[str, str | None]]:
    return [(seen.text, seen.mention) for seen in found]


def test_a_list_without_commas(find: Any) -> None:
    found = find(
        "{Advair|Chemical} 1 puff bid {Lisinopril|Chemical} 10 mg qd {Plavix|Chemical} 75 mg"
    )
    assert pairs(found) == [
        ("1 puff", "Advair"),
        ("bid", "Advair"),
        ("10 mg", "Lisinopril"),
        ("qd", "Lisinopril"),
        ("75 mg", "Plavix"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("81 mg {aspirin|Chemical} daily", [("81 mg", "aspirin"), ("daily", "aspirin")]),
        ("two puffs of {albuterol|Chemical}", [("two puffs", "albuterol")]),
        ("twice daily {gabapentin|Chemical}", [("twice daily", "gabapentin")]),
        (
            "{Motrin|Chemical}, 800 mg to take every 6 hours",
            [("800 mg", "Motrin"), ("every 6 hours", "Motrin")],
        ),
        (
            "{amoxicillin|Chemical} 500 mg for 10 days",
            [("500 mg", "amoxicillin"), ("10 days", "amoxicillin")],
        ),
        ("{Lasix|Chemical}; 40 mg", [("40 mg", None)]),
    ],
)
def test_drugs(find: Any, text: str, expected: list[tuple[str, str | None]]) -> None:
    assert pairs(find(text)) == expected


def test_over_the_end_of_a_sentence_that_is_none(find: Any) -> None:
    assert pairs(find("{Norvasc|Chemical} 10 mg p.o.|daily")) == [
        ("10 mg", "Norvasc"),
        ("daily", "Norvasc"),
    ]
    assert pairs(find("He took {Norvasc|Chemical}.|Then 10 mg")) == [("10 mg", None)]


def test_not_over_the_end_of_a_section(find: Any) -> None:
    text = "{Norvasc|Chemical} PLAN: 10 mg"
    assert pairs(find(text)) == [("10 mg", "Norvasc")]
    assert pairs(find(text, (Section("plan", 8, 19),))) == [("10 mg", None)]


def test_not_past_a_drug_that_was_not_found(find: Any) -> None:
    found = find("{Xanax|Chemical} 0.5 mg b.i.d., Estraderm 0.05 mg daily")
    assert pairs(found) == [
        ("0.5 mg", "Xanax"),
        ("b.i.d.", "Xanax"),
        ("0.05 mg", None),
        ("daily", None),
    ]


def test_laboratory_value_of_the_analyte_itself(find: Any) -> None:
    assert pairs(find("{creatinine|Chemical} was 1.4 and BUN 16")) == [
        ("1.4", "creatinine"),
        ("16", None),
    ]


def test_potassium_is_a_drug_where_it_is_given(find: Any) -> None:
    (value,) = find("{potassium|Chemical} 3.1")
    assert value.quantity.kind == "lab_value"
    (given,) = find("{potassium|Chemical} 20 mEq")
    assert (given.quantity.kind, given.mention) == ("strength", "potassium")


def test_measures_belong_to_the_nearest_finding(find: Any) -> None:
    text = "no {cough|Disease} but a 2 cm {nodule|Disease} in the lung"
    assert pairs(find(text)) == [("2 cm", "nodule")]


def test_findings_beyond_a_no_or_a_comma(find: Any) -> None:
    assert pairs(find("aorta 39 mm without {aneurysm|Disease}")) == [("39 mm", None)]
    text = "{CHF|Disease} with EF 35%, {atrial fibrillation|Disease}"
    assert pairs(find(text)) == [("35%", "CHF")]


def test_findings_beyond_a_full_stop_that_did_not_split(find: Any) -> None:
    assert pairs(find("Aorta is 3.2 cm. {Gallstones|Disease} are seen")) == [("3.2 cm", None)]
    assert pairs(find("{Gallstones|Disease} are seen. Aorta is 3.2 cm")) == [("3.2 cm", None)]
    text = "a {cyst|Disease} of approx. 3.2 cm"
    assert pairs(find(text)) == [("3.2 cm", "cyst")]


def test_amounts_of_a_salt_are_those_of_the_drug(find: Any) -> None:
    text = "{Metoprolol|Chemical} {succinate|Chemical} 25 mg daily"
    assert pairs(find(text)) == [("25 mg", "Metoprolol"), ("daily", "Metoprolol")]


def test_durations_that_are_no_drugs(find: Any) -> None:
    text = "discharged on {ciprofloxacin|Chemical} after 3 days"
    assert pairs(find(text)) == [("3 days", None)]
    text = "{rivaroxaban|Chemical} 15 mg BID with food for 21 days, then 20 mg daily"
    assert {seen.mention for seen in find(text)} == {"rivaroxaban"}


def test_dates_and_ages_belong_to_nothing(find: Any) -> None:
    found = find("{aspirin|Chemical} on 3/4/2019 for a 64-year-old with {gout|Disease}")
    assert [seen.mention for seen in found] == [None, None]
