"""Units: what is read, and that factors are those of pint and of the textbooks."""

from __future__ import annotations

import pint
import pytest

from nlp.quantities.units import conversion, match_unit
from nlp.quantities.vocabulary import read_names, read_units

REGISTRY = pint.UnitRegistry()


@pytest.mark.parametrize(
    ("value", "code", "kind", "base", "base_unit"),
    [
        (98.6, "[degF]", "vital_sign", 37.0, "Cel"),
        (212, "[degF]", "vital_sign", 100.0, "Cel"),
        (-40, "[degF]", "vital_sign", -40.0, "Cel"),
        (37, "Cel", "vital_sign", 37.0, "Cel"),
        (1, "[lb_av]", "vital_sign", 0.45359237, "kg"),
        (64, "[in_i]", "vital_sign", 162.56, "cm"),
        (1, "g", "strength", 1000.0, "mg"),
        (75, "ug", "strength", 0.075, "mg"),
        (1, "[tsp_us]", "dose", 4.92892159375, "mL"),
        (5, "ug/kg/min", "dose", 0.3, "mg/kg/h"),
        (12.5, "g/dL", "lab_value", 12500.0, "mg/dL"),
        (1, "ng/mL", "lab_value", 0.0001, "mg/dL"),
        (250, "10*3/uL", "lab_value", 250.0, "10*9/L"),
        (6300, "{cells}/mm3", "lab_value", 6.3, "10*9/L"),
        (88, "umol/L", "lab_value", 0.088, "mmol/L"),
        (4.1, "meq/L", "lab_value", 4.1, "meq/L"),
        (2.5, "m[iU]/L", "lab_value", 0.0025, "[iU]/L"),
        (2.5, "u[iU]/mL", "lab_value", 0.0025, "[iU]/L"),
        (18, "mo", "age", 1.5, "a"),
        (2, "wk", "duration", 14.0, "d"),
        (36, "h", "duration", 1.5, "d"),
        (2, "/wk", "frequency", 2 / 7, "/d"),
        (4, "/h", "frequency", 96.0, "/d"),
        (2, "{tbl}", "dose", 2.0, "{tbl}"),
        (30.5, "[iU]/d", "dose", 30.5, "[iU]/d"),
        (28, "kg/m2", "vital_sign", 28.0, "kg/m2"),
        (20, "mm/h", "lab_value", 20.0, "mm/h"),
    ],
)
def test_known_conversions(value: float, code: str, kind: str, base: float, base_unit: str) -> None:
    found = conversion(code, kind)
    assert found is not None
    assert found.apply(value) == pytest.approx(base, rel=1e-9)
    assert found.unit == base_unit


@pytest.mark.parametrize("code", sorted(read_units().by_code))
def test_every_unit_agrees_with_pint(code: str) -> None:
    unit = read_units().by_code[code]
    for kind in ("measure", "strength", "vital_sign", "lab_value", "age", "duration"):
        found = conversion(code, kind)
        assert found is not None
        base = read_units().by_code[found.unit]
        assert base.dimension == unit.dimension
        if unit.pint is None or base.pint is None:
            assert (found.factor, found.offset, found.unit) == (1.0, 0.0, code)
        elif unit.dimension == "temperature":
            expected = REGISTRY.Quantity(40.5, unit.pint).to(base.pint).m
            assert found.apply(40.5) == pytest.approx(expected)
        else:
            ratio = REGISTRY(unit.pint) / REGISTRY(base.pint)
            expected = REGISTRY.Quantity(ratio).to("dimensionless").m
            assert found.factor == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("code", sorted(read_units().by_code))
def test_there_and_back(code: str) -> None:
    found = conversion(code, "measure")
    assert found is not None
    base = found.apply(7.25)
    assert base is not None
    assert (base - found.offset) / found.factor == pytest.approx(7.25, rel=1e-8)


def test_every_spelling_reads_as_its_unit() -> None:
    units = read_units()
    for spelling, unit in units.whole.items():
        found = match_unit(f"{spelling} ", 0)
        assert found is not None, spelling
        assert (found.code, found.end) == (unit.code, len(spelling)), spelling


@pytest.mark.parametrize(
    ("text", "code", "signature"),
    [
        ("mg/dL", "mg/dL", "mass/volume"),
        ("MG/DL", "mg/dL", "mass/volume"),
        ("mg per kg", "mg/kg", "mass/mass"),
        ("mg per day", "mg", "mass"),  # how often it is taken
        ("mg/day", "mg/d", "mass/time"),
        ("units per 24 hours", "[iU]/d", "international/time"),
        ("IU/L", "[iU]/L", "international/volume"),
        ("units/L", "U/L", "enzyme/volume"),
        ("minutes a day", "min", "time"),
        ("mm\nHg", "mm[Hg]", "pressure"),
    ],
)
def test_written_units(text: str, code: str, signature: str) -> None:
    found = match_unit(text, 0)
    assert found is not None
    assert (found.code, found.signature) == (code, signature)


@pytest.mark.parametrize("text", ["k", "mgx", "million", "HR: 72", "cells", "hpf", "", "é"])
def test_no_units(text: str) -> None:
    assert match_unit(text, 0) is None


def test_units_of_names_can_be_converted() -> None:
    for name in read_names().by_spelling.values():
        for code in filter(None, (name.unit, *(choice[0] for choice in name.choices))):
            assert conversion(code, name.kind) is not None


def test_unknown_units_have_no_conversion() -> None:
    assert conversion("furlong", "measure") is None
