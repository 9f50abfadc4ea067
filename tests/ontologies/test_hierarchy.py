from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from ontologies.hierarchy import closure


def concepts(**trees: list[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"concept_id": list(trees), "tree_numbers": list(trees.values())},
        schema={"concept_id": pl.String, "tree_numbers": pl.List(pl.String)},
    )


def pairs(frame: pl.DataFrame) -> dict[tuple[str, str], int]:
    return {(c, a): d for c, a, d in closure(frame).iter_rows()}


def test_prefixes_are_ancestors() -> None:
    found = pairs(concepts(top=["C01"], mid=["C01.100"], low=["C01.100.200"], other=["C011"]))
    assert found == {
        ("top", "top"): 0,
        ("mid", "mid"): 0,
        ("low", "low"): 0,
        ("other", "other"): 0,
        ("mid", "top"): 1,
        ("low", "mid"): 1,
        ("low", "top"): 2,
    }


def test_fewest_steps_over_several_tree_numbers() -> None:
    found = pairs(concepts(top=["C01", "C02.1.1"], low=["C01.1.1.1", "C02.1.1.1"]))
    assert found[("low", "top")] == 1


def test_gaps_are_passed_over_and_counted() -> None:
    found = pairs(concepts(top=["C01"], low=["C01.1.2"]))
    assert found == {("top", "top"): 0, ("low", "low"): 0, ("low", "top"): 2}


def test_concepts_outside_the_tree_have_themselves() -> None:
    assert pairs(concepts(a=[], b=[])) == {("a", "a"): 0, ("b", "b"): 0}
    assert pairs(concepts(a=[], b=["C01"])) == {("a", "a"): 0, ("b", "b"): 0}


NUMBERS = st.lists(
    st.lists(st.sampled_from("123"), min_size=1, max_size=4).map(lambda parts: ".".join(parts)),
    max_size=3,
    unique=True,
)


@given(st.lists(NUMBERS, max_size=8))
def test_closure_against_the_definition(trees: list[list[str]]) -> None:
    named = {f"c{i}": numbers for i, numbers in enumerate(trees)}
    expected: dict[tuple[str, str], int] = {(c, c): 0 for c in named}
    for low, low_numbers in named.items():
        for high, high_numbers in named.items():
            for number in low_numbers:
                for prefix in high_numbers:
                    if number.startswith(prefix + "."):
                        steps = number.count(".") - prefix.count(".")
                        key = (low, high)
                        expected[key] = min(steps, expected.get(key, steps))
    assert pairs(concepts(**named)) == expected


def test_type_2_diabetes_in_mesh(mesh_store) -> None:
    ancestors = pl.read_parquet(mesh_store.table_path("concept_ancestors"))
    known = dict(
        ancestors.filter(concept_id="MESH:D003924").select("ancestor_id", "distance").iter_rows()
    )
    assert known["MESH:D003924"] == 0
    assert known["MESH:D003920"] == 1
    assert known["MESH:D004700"] == 2
    assert "MESH:D003922" not in known, "type 1 diabetes is a sibling"
