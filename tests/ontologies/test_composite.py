from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontologies.composite import MOST_PARTS, parts


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("breast and ovarian cancer", ("breast cancer", "ovarian cancer")),
        ("breast and/or ovarian cancer", ("breast cancer", "ovarian cancer")),
        ("breast/ovarian cancer", ("breast cancer", "ovarian cancer")),
        ("nausea or vomiting", ("nausea", "vomiting")),
        ("lopinavir/ritonavir", ("lopinavir", "ritonavir")),
        ("fever, chills and rash", ("fever", "chills", "rash")),
        ("Diabetes Mellitus, Type 2", ()),
        ("fish-eye disease", ()),
        ("android", ()),
        ("", ()),
        ("a, b, c, d and e", ()),
    ],
)
def test_parts(name: str, expected: tuple[str, ...]) -> None:
    assert parts(name) == expected


@given(st.text(alphabet="ab ,/andor", max_size=30))
def test_parts_are_made_of_the_names_own_words(name: str) -> None:
    found = parts(name)
    assert len(found) <= MOST_PARTS
    for part in found:
        assert part.strip()
        assert set(part) <= set(name) | {" "}
