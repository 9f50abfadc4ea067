from __future__ import annotations

import pytest

from ontologies.broader import broader


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("renal damage", "renal disease"),
        ("hepatic adverse effects", "hepatic disease"),
        ("abnormalities of liver function", "liver disease"),
        ("impaired heart function", "heart disease"),
        ("nephrotoxicity", "kidney disease"),
        ("Hepatotoxic", "liver disease"),
    ],
)
def test_harm_of_an_organ_is_a_disease_of_it(name: str, expected: str) -> None:
    assert broader(name) == (expected,)


@pytest.mark.parametrize(
    "name", ["", "toxicity", "kidney", "renal function", "phototoxicity", "damage of"]
)
def test_other_names_have_none(name: str) -> None:
    assert broader(name) == ()
