from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from ontologies.hierarchy import break_cycles, closure


def concepts(**trees: list[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"concept_id": list(trees), "tree_numbers": list(trees.values())},
        schema={"concept_id": pl.String, "tree_numbers": pl.List(pl.String)},
    )


def pairs(frame: pl.DataFrame) -> dict[tuple[str, str], int]:
    return {(c, a): d for c, a, d, _ in closure(frame).iter_rows()}


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


def edges(*rows: tuple[str, str, str | None]) -> pl.DataFrame:
    schema = {"concept_id": pl.String, "parent_id": pl.String, "vocabulary": pl.String}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def test_stated_parents_are_followed_within_a_vocabulary() -> None:
    stated = edges(("a", "b", "X"), ("b", "c", "X"), ("a", "b", "Y"), ("c", "d", "Y"))
    found = {
        (concept, ancestor): (distance, vocabularies)
        for concept, ancestor, distance, vocabularies in closure(
            concepts(a=[], b=[], c=[], d=[]), stated
        ).iter_rows()
        if distance
    }
    assert found == {
        ("a", "b"): (1, ["X", "Y"]),
        ("b", "c"): (1, ["X"]),
        ("a", "c"): (2, ["X"]),
        ("c", "d"): (1, ["Y"]),
    }


def test_parents_that_are_no_concepts_are_passed_over() -> None:
    found = closure(concepts(a=[], b=[]), edges(("a", "gone", None), ("a", "b", None)))
    assert found.filter(pl.col("distance") > 0).rows() == [("a", "b", 1, [])]


def test_cycles_are_broken_at_the_same_edge_whatever_the_order() -> None:
    rows = [("a", "b", None), ("b", "c", None), ("c", "a", None), ("d", "a", None)]
    kept, cycles = break_cycles(edges(*rows))
    assert cycles == [("a", "b", "c")]
    assert kept.select("concept_id", "parent_id").rows() == [("a", "b"), ("b", "c"), ("d", "a")]
    again, _ = break_cycles(edges(*reversed(rows)))
    assert again.equals(kept)


EDGES = st.lists(
    st.tuples(*[st.sampled_from("abcdef")] * 2, st.sampled_from([None, "X"])), max_size=15
)


@given(EDGES)
def test_what_is_left_has_no_cycles_and_nothing_else_is_dropped(
    rows: list[tuple[str, str, str | None]],
) -> None:
    kept, cycles = break_cycles(edges(*rows))
    left = {tuple(row) for row in kept.iter_rows()}
    assert left <= set(rows)
    assert len(set(rows)) - len(left) == len(cycles)
    named = concepts(**{name: [] for name in "abcdef"})
    pairs_found = {(c, a) for c, a, d, _ in closure(named, kept).iter_rows() if d}
    assert not any(c == a for c, a in pairs_found)
    for child, parent, vocabulary in set(rows) - left:
        # The dropped edge leads back: its parent still reaches its child.
        above = edges(*(row for row in left if row[2] == vocabulary))
        reached = {(c, a) for c, a, _, _ in closure(named, above).iter_rows()}
        assert (parent, child) in reached


@given(EDGES)
def test_closure_of_stated_parents_against_a_walk(rows: list[tuple[str, str, str | None]]) -> None:
    kept, _ = break_cycles(edges(*rows))
    expected: dict[tuple[str, str], int] = {}
    for vocabulary in (None, "X"):
        steps = {(c, p) for c, p, v in kept.iter_rows() if v == vocabulary}
        for start in "abcdef":
            reached, distance = {start}, 0
            while reached:
                for end in reached:
                    key = (start, end)
                    expected[key] = min(distance, expected.get(key, distance))
                reached = {p for c, p in steps if c in reached}
                distance += 1
    named = concepts(**{name: [] for name in "abcdef"})
    assert {(c, a): d for c, a, d, _ in closure(named, kept).iter_rows()} == expected


def test_type_2_diabetes_in_mesh(mesh_store) -> None:
    ancestors = pl.read_parquet(mesh_store.table_path("concept_ancestors"))
    known = dict(
        ancestors.filter(concept_id="MESH:D003924").select("ancestor_id", "distance").iter_rows()
    )
    assert known["MESH:D003924"] == 0
    assert known["MESH:D003920"] == 1
    assert known["MESH:D004700"] == 2
    assert "MESH:D003922" not in known, "type 1 diabetes is a sibling"
