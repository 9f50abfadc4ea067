"""What each strategy chooses, against its definition."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import CharthouseError, SourceError
from flows.exporting.selection import Selection
from flows.sampling.choices import Strategy, Stratum
from flows.sampling.sample import Sampled
from flows.sampling.strategies import cover, quotas
from flows.warehouse.connection import open_warehouse
from tests.flows.conftest import Bench
from tests.flows.sampling.conftest import Draw


def ids(sampled: Sampled) -> list[str]:
    """The documents in the file, in its order."""
    tasks = json.loads(sampled.files[0].read_text(encoding="utf-8"))
    return [task["data"]["document_id"] for task in tasks]


@given(sizes=st.lists(st.integers(1, 50), min_size=1, max_size=8), documents=st.integers(1, 500))
def test_quotas_are_the_shares_to_the_next_whole_number(sizes: list[int], documents: int) -> None:
    drawn = quotas(sizes, documents)
    assert sum(drawn) == min(documents, sum(sizes))
    for size, quota in zip(sizes, drawn, strict=True):
        assert quota <= size
        assert abs(quota - Fraction(size * sum(drawn), sum(sizes))) < 1


def weight(keys: Sequence[tuple[str, str]], shown: dict[tuple[str, str], list[int]]) -> int:
    return sum({name for key in keys for name in shown[key]})  # a name weighs what it is called


covers = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=2).map(lambda key: (key, key)),
    st.lists(st.integers(1, 9), min_size=1, max_size=4, unique=True),
    min_size=1,
    max_size=7,
)


@given(shown=covers, documents=st.integers(1, 4))
@settings(deadline=None)
def test_the_lazy_cover_is_the_greedy_one_and_near_the_best(
    shown: dict[tuple[str, str], list[int]], documents: int
) -> None:
    weights = {name: name for name in range(1, 10)}
    chosen = cover(shown, weights, documents)
    assert len(chosen) == len(set(chosen)) == min(documents, len(shown))
    covered: set[int] = set()
    for at, key in enumerate(chosen):
        gains = {k: sum(set(shown[k]) - covered) for k in shown if k not in chosen[:at]}
        if not any(gains.values()):
            break
        assert key == min(gains, key=lambda k: (-gains[k], k))
        covered |= set(shown[key])
    best = max(weight(c, shown) for c in itertools.combinations(shown, len(chosen)))
    assert weight(chosen, shown) >= (1 - 1 / math.e) * best


def test_a_larger_random_sample_holds_the_smaller_one(draw: Draw) -> None:
    small, large = ids(draw("a.json", documents=5)), ids(draw("b.json", documents=12))
    assert large[:5] == small
    assert ids(draw("c.json", documents=12, seed=1))[:5] != small


def test_a_stratified_sample_keeps_the_shares(draw: Draw) -> None:
    sampled = draw(documents=10, by=(Stratum.corpus, Stratum.year))
    years = [i for i in ids(sampled) if i.startswith("papers")]
    assert len(years) == 8
    assert sorted(int(i.partition(":")[2]) % 4 for i in years) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert sampled.facts == {"strata": 5}


def test_the_least_certain_documents_come_first(draw: Draw) -> None:
    """Doubts of a note's mentions are 0.01, 0.11, 0.21 ...: the three worst are taken."""
    sampled = draw(documents=25, strategy=Strategy.uncertain)
    expected = {"notes:1": (0.11 + 0.21 + 0.31) / 3, "notes:2": (0.11 + 0.21 + 0.31) / 3}
    expected |= {f"papers:{n}": (0.01 + 0.11 + 0.21) / 3 for n in range(20)}
    expected |= {"notes:a|b %41": (0.01 + 0.11 + 0.21) / 3}
    expected |= {"notes:3": 0.01 / 3, "notes:5": 0.0}
    order = ids(sampled)
    assert set(order[:2]) == {"notes:1", "notes:2"}
    assert order[-2:] == ["notes:3", "notes:5"]
    assert [expected[i] for i in order] == sorted(expected.values(), reverse=True)
    assert sampled.facts["mean doubt of all"] == pytest.approx(
        sum(expected.values()) / 25, abs=1e-4
    )


def test_only_the_labels_asked_for_are_doubted(draw: Draw) -> None:
    sampled = draw(documents=3, strategy=Strategy.uncertain, labels=("Chemical",))
    assert set(ids(sampled)) == {"notes:1", "notes:2", "notes:a|b %41"}
    assert sampled.drawn.labels == ("Chemical",)


def test_few_documents_show_the_undecided_names(draw: Draw) -> None:
    """zygoma-itis has 23 mentions, the 𝛽-blocker 3; two notes show both."""
    sampled = draw(documents=1, strategy=Strategy.unlinked)
    assert ids(sampled)[0] in {"notes:2", "notes:a|b %41"}
    assert sampled.facts == {
        "undecided names shown": 2,
        "undecided names in all": 2,
        "mentions of the shown names": 26,
        "mentions of undecided names in all": 26,
    }


def test_documents_without_an_undecided_name_are_not_drawn_for_them(draw: Draw) -> None:
    sampled = draw(documents=25, strategy=Strategy.unlinked)
    assert len(ids(sampled)) == 23
    assert {"notes:3", "notes:5"}.isdisjoint(ids(sampled))
    assert sampled.notes == ("fewer documents show a name without a concept",)


def test_where_every_name_is_decided_nothing_is_drawn_or_written(
    draw: Draw, tmp_path: Path
) -> None:
    where = Selection(corpora=("notes",), where="native_id IN ('3', '5')")
    with pytest.raises(CharthouseError, match="no name of these documents is without a concept"):
        draw(strategy=Strategy.unlinked, selection=where)
    assert not list(tmp_path.iterdir())


def test_without_links_no_name_is_undecided(stocked: Bench, draw: Draw) -> None:
    with open_warehouse(stocked.warehouse) as connection:
        connection.execute("DELETE FROM linksets")
    with pytest.raises(CharthouseError, match="linked to no ontology"):
        draw(warehouse=stocked.warehouse, strategy=Strategy.unlinked)


def test_documents_drawn_earlier_are_not_drawn_again(draw: Draw, tmp_path: Path) -> None:
    first, second = draw("a.json", documents=9), draw("b.pubtator", documents=9, seed=5)
    both = draw("c.json", documents=25, exclude=(first.files[0], second.files[0]))
    drawn = set(ids(both))
    assert drawn.isdisjoint(ids(first))
    assert len(drawn) == both.pool == 25 - both.excluded
    text = second.files[0].read_text(encoding="utf-8")
    assert not [i for i in drawn if f"{i}|t|" in text]


def test_a_file_that_names_no_document_excludes_none_in_silence(draw: Draw, tmp_path: Path) -> None:
    """JSON-MIN has its ids on top; a file that has none is refused."""
    there = tmp_path / "min.json"
    task = {"id": 1, "text": "Fever only.", "annotation_id": 1, "document_id": "notes:3"}
    there.write_text(json.dumps([task]))
    assert draw(documents=25, exclude=(there,)).excluded == 1
    del task["document_id"]
    there.write_text(json.dumps([task]))
    with pytest.raises(SourceError, match="task 1: has no document_id"):
        draw("b.json", exclude=(there,))
