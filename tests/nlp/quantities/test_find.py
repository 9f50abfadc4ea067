"""Each kind of quantity, by sentences made up for it."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

Row = tuple[str, str, float | None, float | None, str | None]


def rows(found: list[Any]) -> list[Row]:
    return [
        (seen.text, seen.quantity.kind, seen.quantity.value, seen.quantity.high, seen.quantity.unit)
        for seen in found
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{Metformin|Chemical} 1000 mg", [("1000 mg", "strength", 1000, None, "mg")]),
        ("{morphine|Chemical} 5-10 mg", [("5-10 mg", "strength", 5, 10, "mg")]),
        ("He took two tablets", [("two tablets", "dose", 2, None, "{tbl}")]),
        ("1/2 tablet", [("1/2 tablet", "dose", 0.5, None, "{tbl}")]),
        ("1 1/2 tablets", [("1 1/2 tablets", "dose", 1.5, None, "{tbl}")]),
        ("give 0.5 mL/kg", [("0.5 mL/kg", "dose", 0.5, None, "mL/kg")]),
        ("100 units", [("100 units", "dose", 100, None, "[iU]")]),
        ("2 units of packed red cells", [("2 units of packed", "dose", 2, None, "{unit}")]),
        ("at 5 mcg/kg/min", [("5 mcg/kg/min", "dose", 5, None, "ug/kg/min")]),
        (
            "{Norco|Chemical} 5/325 mg",
            [("5", "strength", 5, None, "mg"), ("325 mg", "strength", 325, None, "mg")],
        ),
        ("{lidocaine|Chemical} 1%", [("1%", "strength", 1, None, "%")]),
        ("1% {lidocaine|Chemical}", [("1%", "strength", 1, None, "%")]),
        ("{Xanax|Chemical} 0.5 q.4h.", [("0.5", "strength", 0.5, None, None)]),
    ],
)
def test_strength_and_dose(find: Any, text: str, expected: list[Row]) -> None:
    assert [row for row in rows(find(text)) if row[1] != "frequency"] == expected


@pytest.mark.parametrize(
    ("text", "words", "value", "high", "unit", "per_day"),
    [
        ("BID", "BID", 2, None, "/d", 2),
        ("t.i.d.", "t.i.d.", 3, None, "/d", 3),
        ("q6h", "q6h", 4, None, "/d", 4),
        ("q.4-6h.", "q.4-6h.", 4, 6, "/d", 4),
        ("q.h.s.", "q.h.s.", 1, None, "/d", 1),
        ("q. day", "q. day", 1, None, "/d", 1),
        ("twice daily", "twice daily", 2, None, "/d", 2),
        ("three times a day", "three times a day", 3, None, "/d", 3),
        ("every 8 hours", "every 8 hours", 3, None, "/d", 3),
        ("every six to eight hours", "every six to eight hours", 3, 4, "/d", 3),
        ("every other day", "every other day", 0.5, None, "/d", 0.5),
        ("once a week", "once a week", 1, None, "/wk", 1 / 7),
        ("every 2 weeks", "every 2 weeks", 0.5, None, "/wk", 1 / 14),
        ("every 15 minutes", "every 15 minutes", 4, None, "/h", 96),
    ],
)
def test_frequencies(
    find: Any, text: str, words: str, value: float, high: float | None, unit: str, per_day: float
) -> None:
    (seen,) = find(f"take it {text}, with water")
    assert rows([seen]) == [(words, "frequency", value, high, unit)]
    assert seen.quantity.base_value == pytest.approx(per_day)
    assert seen.quantity.base_unit == "/d"


def test_as_needed_is_a_frequency_without_a_number(find: Any) -> None:
    (strength, often, needed) = find("{Ultram|Chemical} 50 mg q6h p.r.n.")
    assert (strength.text, often.text, needed.text) == ("50 mg", "q6h", "p.r.n.")
    assert needed.quantity.name == "as_needed"
    assert needed.quantity.kind == "frequency"
    assert needed.quantity.value is None
    assert needed.mention == "Ultram"


@pytest.mark.parametrize(
    "text",
    [
        "He needs help with activities of daily living.",
        "She wakes at night and in the morning.",
        "He had a headache for a day.",
    ],
)
def test_everyday_words_are_no_frequency(find: Any, text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize(
    ("text", "kind", "value", "high", "unit", "days"),
    [
        ("for 10 days", "duration", 10, None, "d", 10),
        ("x 2 weeks", "duration", 2, None, "wk", 14),
        ("a 7- to 8-day history", "duration", 7, 8, "d", 7),
        ("twenty-four hours later", "duration", 24, None, "h", 1),
        ("a 24-hour urine", "duration", 24, None, "h", 1),
        ("three days later", "duration", 3, None, "d", 3),
        ("two weeks ago", "date", -2, None, "wk", -14),
        ("4 to 5 years ago", "date", -5, -4, "a", -1826.25),
        ("a month ago", "date", -1, None, "mo", -30.4375),
        ("four and a half weeks ago", "date", -4.5, None, "wk", -31.5),
        ("return in 6 weeks.", "date", 6, None, "wk", 42),
    ],
)
def test_lengths_of_time(
    find: Any, text: str, kind: str, value: float, high: float | None, unit: str, days: float
) -> None:
    (seen,) = find(text)
    quantity = seen.quantity
    assert (quantity.kind, quantity.value, quantity.high, quantity.unit) == (
        kind,
        value,
        high,
        unit,
    )
    assert (quantity.base_value, quantity.base_unit) == (days, "d")


@pytest.mark.parametrize(
    ("text", "name", "value", "unit", "comparator"),
    [
        ("hemoglobin 12.5 g/dL", "hemoglobin", 12.5, "g/dL", None),
        ("WBC of 11.2", "white_blood_cells", 11.2, None, None),
        ("K 4.1", "potassium", 4.1, None, None),
        ("creatinine was 1.4", "creatinine", 1.4, None, None),
        ("troponin <0.01", "troponin", 0.01, None, "<"),
        ("A1C greater than 9", "hemoglobin_a1c", 9, None, ">"),
        ("platelets 250 K/uL", "platelets", 250, "10*3/uL", None),
        ("platelet count of 175,000", "platelets", 175000, None, None),
        ("AST at 39 U/L", "aspartate_aminotransferase", 39, "U/L", None),
        ("8% bands", "bands", 8, "%", None),
        ("PT was 12.1 seconds", "prothrombin_time", 12.1, "s", None),
        ("CA-125 of 35", "ca_125", 35, None, None),
        ("Rheumatoid factor:  52 U/ml", "rheumatoid_factor", 52, "[iU]/mL", None),
        ("urine albumin 92 mg/g", "urine_albumin", 92, "mg/g", None),
    ],
)
def test_laboratory_values(
    find: Any, text: str, name: str, value: float, unit: str | None, comparator: str | None
) -> None:
    (seen,) = find(text)
    quantity = seen.quantity
    assert (quantity.kind, quantity.name, quantity.value) == ("lab_value", name, value)
    assert (quantity.unit, quantity.comparator) == (unit, comparator)


@pytest.mark.parametrize(
    "text",
    [
        "BUN and {creatinine|Chemical} of 16 and 1.2",
        "BUN and {creatinine|Chemical} were 16 and 1.2, respectively",
        "BUN/{creatinine|Chemical} 16/1.2",
        "BUN 16 and {creatinine|Chemical} 1.2",
    ],
)
def test_two_names_and_then_their_values(find: Any, text: str) -> None:
    found = find(text)
    assert [(s.quantity.name, s.quantity.value, s.mention) for s in found] == [
        ("urea_nitrogen", 16, None),
        ("creatinine", 1.2, "creatinine"),
    ]


def test_two_values_of_a_pair_of_names(find: Any) -> None:
    found = find("H and H 13 and 40, sodium 138")
    assert [(s.quantity.name, s.quantity.value) for s in found] == [
        ("hemoglobin", 13),
        ("hematocrit", 40),
        ("sodium", 138),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "We will check the TSH. 2. Diabetes",
        "vitamin K was given",
        "hemoglobin in 2 units",
        "Plan: 1. Potassium.,2. Calcium.",
        "Strength is 5/5, pain 7/10, GCS 15, 2+ edema, T4-T5, 20/20 vision.",
        "2-0 Vicryl, #30, $100, 555-123-4567, 12:30 pm, B12, two C sections, size 38C, OD",
        "[DATE] and [AGE]-year-old and **** and [DATE] mg and ***-***",
    ],
)
def test_no_quantities(find: Any, text: str) -> None:
    assert [s for s in find(text) if s.quantity.kind not in ("dose",)] == []


@pytest.mark.parametrize(
    ("text", "name", "value", "high", "unit"),
    [
        ("BP 120/80", "blood_pressure", 120, 80, "mm[Hg]"),
        ("BP: 130s/80s", "blood_pressure", 130, 80, "mm[Hg]"),
        ("blood pressure was 118/72 mmHg", "blood_pressure", 118, 72, "mm[Hg]"),
        ("pulse is 72", "heart_rate", 72, None, "/min"),
        ("58 bpm", "heart_rate", 58, None, "/min"),
        ("Resp. 18", "respiratory_rate", 18, None, "/min"),
        ("T 98.6", "temperature", 98.6, None, "[degF]"),
        ("temp 37.2", "temperature", 37.2, None, "Cel"),
        ("febrile to 101 degrees F", "temperature", 101, None, "[degF]"),
        ("99% on room air", "oxygen_saturation", 99, None, "%"),
        ("weight is 150 pounds", "weight", 150, None, "[lb_av]"),
        ("She is 5 feet 4 inches tall, height 5'4\"", "height", 64, None, "[in_i]"),
        ("height 5 feet 7-1/2 inches", "height", 67.5, None, "[in_i]"),
        ("T 38C", "temperature", 38, None, "Cel"),
        ("readings 150-165, BP readings 150-165", "systolic_blood_pressure", 150, 165, "mm[Hg]"),
        ("systolic of 90", "systolic_blood_pressure", 90, None, "mm[Hg]"),
        ("body mass index of 46", "body_mass_index", 46, None, "kg/m2"),
        ("Weight on 10/07/2004 was 156 pounds", "weight", 156, None, "[lb_av]"),
    ],
)
def test_vital_signs(
    find: Any, text: str, name: str, value: float, high: float | None, unit: str
) -> None:
    quantity = find(text)[-1].quantity
    assert (quantity.kind, quantity.name) == ("vital_sign", name)
    assert (quantity.value, quantity.high, quantity.unit) == (value, high, unit)


def test_a_change_of_weight_is_no_weight(find: Any) -> None:
    (seen,) = find("weight down 5 pounds")
    assert (seen.quantity.kind, seen.quantity.name) == ("measure", None)
    (seen,) = find("weight down to 150 pounds")
    assert (seen.quantity.kind, seen.quantity.name) == ("vital_sign", "weight")


@pytest.mark.parametrize(
    ("text", "words", "value", "unit", "years"),
    [
        ("a 64-year-old man", "64-year-old", 64, "a", 64),
        ("75 y.o. woman", "75 y.o.", 75, "a", 75),
        ("a 6-month-old", "6-month-old", 6, "mo", 0.5),
        ("at age 59", "59", 59, "a", 59),
        ("died at 91 years of age", "91 years of age", 91, "a", 91),
    ],
)
def test_ages(find: Any, text: str, words: str, value: float, unit: str, years: float) -> None:
    (seen,) = find(text)
    assert rows([seen]) == [(words, "age", value, None, unit)]
    assert (seen.quantity.base_value, seen.quantity.base_unit) == (years, "a")


def test_sides_of_a_mass_are_a_row_each(find: Any) -> None:
    found = find("a 3 x 4.5 x 2 cm {mass|Disease}")
    assert rows(found) == [
        ("3", "measure", 3, None, "cm"),
        ("4.5", "measure", 4.5, None, "cm"),
        ("2 cm", "measure", 2, None, "cm"),
    ]
    assert {seen.mention for seen in found} == {"mass"}


@pytest.mark.parametrize("text", ["765 +/- 145 mg", "765 ± 145 mg", "765 mg +/- 145"])
def test_a_mean_without_its_deviation(find: Any, text: str) -> None:
    assert rows(find(text)) == [(text, "strength", 765, None, "mg")]


def test_a_change_is_no_range(find: Any) -> None:
    assert rows(find("creatinine rose from 0.9 to 1.4 mg/dL")) == [
        ("0.9", "lab_value", 0.9, None, "mg/dL"),
        ("1.4 mg/dL", "lab_value", 1.4, None, "mg/dL"),
    ]
    assert rows(find("increase {Lasix|Chemical} from 20 mg to 40 mg")) == [
        ("20 mg", "strength", 20, None, "mg"),
        ("40 mg", "strength", 40, None, "mg"),
    ]


def test_amount_per_day(find: Any) -> None:
    assert rows(find("{Zocor|Chemical} 40 mg a day")) == [
        ("40 mg", "strength", 40, None, "mg"),
        ("a day", "frequency", 1, None, "/d"),
    ]
    assert rows(find("{Zocor|Chemical} 40 mg/day")) == [("40 mg/day", "dose", 40, None, "mg/d")]


def test_ejection_fraction(find: Any) -> None:
    for text in ("EF of 20%-25%", "20-25% ejection fraction"):
        (seen,) = find(text)
        quantity = seen.quantity
        assert (quantity.name, quantity.value, quantity.high) == ("ejection_fraction", 20, 25)


@pytest.mark.parametrize(
    ("text", "date", "year"),
    [
        ("on 2019-03-05", (2019, 3, 5), None),
        ("on 03/05/2019", (2019, 3, 5), None),
        ("on 3-5-19", (2019, 3, 5), None),
        ("on 3/5/98", (1998, 3, 5), None),
        ("on 25/12/2019", (2019, 12, 25), None),
        ("on March 5, 2019", (2019, 3, 5), None),
        ("on Mar. 5th, 2019", (2019, 3, 5), None),
        ("on 5 March 2019", (2019, 3, 5), None),
        ("in 03/2019", None, 2019),
        ("in March of 2019", None, 2019),
        ("in 2015", None, 2015),
        ("on March 5", None, None),
        ("[**2019-03-05**]", (2019, 3, 5), None),
    ],
)
def test_dates(find: Any, text: str, date: tuple[int, int, int] | None, year: float | None) -> None:
    (seen,) = find(text)
    assert seen.quantity.kind == "date"
    assert seen.quantity.date == (datetime.date(*date) if date else None)
    assert seen.quantity.value == year


def test_days_that_no_calendar_has(find: Any) -> None:
    assert find("on 31/02/2019 or 13/13/2019 or February 30, 2019") == []


@pytest.mark.parametrize(
    ("words", "comparator"),
    [
        ("less than", "<"),
        ("no more than", "<="),
        ("more than", ">"),
        ("at least", ">="),
        ("approximately", "~"),
        ("<", "<"),
        ("≥", ">="),
    ],
)
def test_comparators(find: Any, words: str, comparator: str) -> None:
    (seen,) = find(f"a mass of {words} 3 cm")
    assert (seen.text, seen.quantity.comparator) == ("3 cm", comparator)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hyponatremia with Na 128 L", [("128", "sodium", None)]),
        ("K 6.1 H, WBC 15.2 H", [("6.1", "potassium", None), ("15.2", "white_blood_cells", None)]),
        ("K: 3.1 L\nCl 97", [("3.1", "potassium", None), ("97", "chloride", None)]),
        ("K 6.1 (H)", [("6.1", "potassium", None)]),
        ("K 6.1H", [("6.1", "potassium", None)]),
        ("HR 120 H", [("120", "heart_rate", "/min")]),
        ("1.5 L of fluid", [("1.5 L", None, "L")]),
        ("sodium chloride 1 L over 2 hours", [("1 L", None, "L"), ("2 hours", None, "h")]),
        ("potassium in 1 L", [("1 L", None, "L")]),
        ("oxygen saturation on 2 L", [("2 L", None, "L")]),
    ],
)
def test_flags_of_a_laboratory_are_no_units(
    find: Any, text: str, expected: list[tuple[str, str | None, str | None]]
) -> None:
    found = [(seen.text, seen.quantity.name, seen.quantity.unit) for seen in find(text)]
    assert found == expected


@pytest.mark.parametrize(
    "text",
    [
        "digoxin 0,125 mg",
        "0,5 mg",
        "K 5,3 mmol/L",
        "weight 1,2 kg",
        "0,125 mg b.i.d.",
        "0,5-1 mg",
        "0,25-1 mg",
        "12,34,567 mg",
    ],
)
def test_decimal_commas_give_no_wrong_amount(find: Any, text: str) -> None:
    assert [row for row in rows(find(text)) if row[1] != "frequency"] == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,200 mg", 1200),
        ("12,500.5 mg", 12500.5),
        ("1,250,000 units", 1_250_000),
        ("took it, 5 mg", 5),
        ("5 mg,then", 5),
    ],
)
def test_commas_of_thousands_and_clauses(find: Any, text: str, value: float) -> None:
    (seen,) = find(text)
    assert seen.quantity.value == value


@pytest.mark.parametrize("unit", ["mL/min/1.73 m2", "ml/min/1.73m2", "mL/min/1.73m²"])
def test_filtration_by_body_surface(find: Any, unit: str) -> None:
    (seen,) = find(f"eGFR 45 {unit}, stable")
    assert seen.text == f"45 {unit}"
    assert seen.quantity.kind == "lab_value"
    assert seen.quantity.name == "glomerular_filtration_rate"
    assert (seen.quantity.unit, seen.quantity.base_value) == ("mL/min/{1.73_m2}", 45)


@pytest.mark.parametrize("name", ["hs-troponin", "hs troponin", "hs-TnT"])
def test_high_sensitivity_is_no_bedtime(find: Any, name: str) -> None:
    (seen,) = find(f"{name} 14 ng/L")
    assert (seen.text, seen.quantity.kind, seen.quantity.name) == (
        "14 ng/L",
        "lab_value",
        "troponin",
    )


def test_frequencies_before_a_hyphen(find: Any) -> None:
    assert [row[0] for row in rows(find("1 tab bid-tid, prn-pain, or h.s."))] == [
        *("1 tab", "bid", "prn", "h.s."),
    ]


@pytest.mark.parametrize("dose", ["20u", "20 u", "20U", "20 units"])
def test_letters_for_units(find: Any, dose: str) -> None:
    found = rows(find("{Lantus|Chemical} " + dose + " qhs"))
    assert found == [(dose, "dose", 20, None, "[iU]"), ("qhs", "frequency", 1, None, "/d")]
