"""What is measured of a run equals a count by hand, whatever the warehouse holds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.quality.bins import CHARACTERS, SCORES
from tests.flows.quality.conftest import BRANCHES, LINKED, UNKNOWN, UNSURE, Ward

FOUND = "documents, characters, mentions, linked, abstained, unknown, rejects"
MENTION = st.tuples(
    st.sampled_from(sorted(BRANCHES)),
    st.integers(0, 10_000).map(lambda n: n / 10_000),
    st.sampled_from([LINKED, UNSURE, UNKNOWN]),
)
BATCH = st.tuples(st.sampled_from(["icu", "er"]), st.lists(MENTION, max_size=12))


def test_a_run_by_hand(ward: Ward) -> None:
    first, second = ward.begin("r1"), ward.begin("r2")
    ward.add(first, "icu", [("Disease", 0.9, LINKED), ("Chemical", 0.5, UNKNOWN)], characters=500)
    ward.measure(first)
    found = [("Disease", 0.95, LINKED), ("Disease", 1.0, UNSURE), ("Disease", 0.25, UNKNOWN)]
    ward.add(second, "icu", found, documents=3, characters=300)
    ward.reject(second, "icu", 1)
    ward.measure(second)
    query = f"SELECT {FOUND} FROM quality WHERE run_id = 'r2' AND scope = ? AND corpus = ? "
    assert ward.rows(query + "AND label = '*'", "run", "icu") == [(3, 900, 3, 1, 1, 1, 1)]
    assert ward.rows(query + "AND label = '*'", "run", "*") == [(3, 900, 3, 1, 1, 1, 1)]
    assert ward.rows(query + "AND label = '*'", "warehouse", "*") == [(4, 1400, 5, 2, 1, 2, 1)]
    assert ward.rows(query + "AND label = 'Chemical'", "run", "icu") == []
    assert ward.rows(query + "AND label = 'Disease'", "warehouse", "icu") == [
        (4, 1400, 4, 2, 1, 1, 0)
    ]
    shares = ward.rows(
        "SELECT mentions_per_1000, label_share, mean_score, link_share, abstention_share, "
        "out_of_vocabulary_share, reject_share, linkset_id FROM quality "
        "WHERE run_id = 'r2' AND scope = 'run' AND corpus = 'icu' ORDER BY label"
    )
    per, mean, third = 3 / 0.9, (0.95 + 1 + 0.25) / 3, 1 / 3
    assert shares == [
        (pytest.approx(per), 1.0, pytest.approx(mean), *[pytest.approx(third)] * 3, 0.25, "ls"),
        (pytest.approx(per), 1.0, pytest.approx(mean), *[pytest.approx(third)] * 3, None, "ls"),
    ]
    bins = ward.rows(
        "SELECT measure, bin, low, high, \"count\" FROM quality_histograms WHERE run_id = 'r2' "
        "AND scope = 'run' AND corpus = '*' AND label = '*' ORDER BY ALL"
    )
    assert bins == [
        ("document_characters", 1, 250, 500, 3),
        ("link_score", 10, 1, None, 1),
        ("score", 2, 0.2, 0.3, 1),
        ("score", 9, 0.9, 1, 1),
        ("score", 10, 1, None, 1),
    ]
    assert ward.rows(
        "SELECT label, branch, mentions FROM quality_branches WHERE run_id = 'r2' "
        "AND scope = 'warehouse' AND corpus = 'icu' ORDER BY ALL"
    ) == [("*", "C08", 2), ("Disease", "C08", 2)]


@settings(max_examples=10)
@given(st.lists(BATCH, min_size=1, max_size=4), st.lists(BATCH, max_size=3))
def test_counts_and_histograms_are_those_of_the_rows(
    linked: Path, before: list[Any], after: list[Any]
) -> None:
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"ATTACH '{linked}' AS linked (READ_ONLY)")
        connection.execute("COPY FROM DATABASE linked TO memory")
        ward = Ward(connection)
        ward.begin("r1")
        ward.begin("r2")
        for run_id, batches in (("r1", before), ("r2", after)):
            for corpus, mentions in batches:
                ward.add(run_id, corpus, mentions)
        ward.measure("r2")
        for scope, batches in (("run", after), ("warehouse", before + after)):
            rows = [(c, *mention) for c, mentions in batches for mention in mentions]
            expected = Counter(
                key for corpus, label, _, status in rows for key in _places(corpus, label, status)
            )
            found = ward.rows(
                "UNPIVOT (SELECT corpus, label, linked, abstained, unknown FROM quality WHERE "
                "run_id = 'r2' AND scope = ?) ON linked, abstained, unknown",
                scope,
            )
            assert {tuple(place): n for *place, n in found if n} == expected
            scores = Counter(
                (corpus, max(i for i, low in enumerate(SCORES) if low <= score))
                for corpus, _, score, _ in rows
            )
            assert {
                (corpus, number): count
                for corpus, number, count in ward.rows(
                    "SELECT corpus, bin, \"count\" FROM quality_histograms WHERE run_id = 'r2' "
                    "AND scope = ? AND measure = 'score' AND label = '*' AND corpus != '*'",
                    scope,
                )
            } == scores
        for table in ("quality_histograms", "quality_branches"):
            column = "mentions" if table.endswith("branches") else '"count"'
            assert not ward.rows(
                f"SELECT * FROM {table} WHERE {column} <= 0 OR label IS NULL OR corpus IS NULL"
            )


def _places(corpus: str, label: str, status: str) -> list[tuple[str, str, str]]:
    name = {LINKED: "linked", UNSURE: "abstained", UNKNOWN: "unknown"}[status]
    return [(of, its, name) for of in (corpus, "*") for its in (label, "*")]


def test_context_decides_over_the_name(ward: Ward) -> None:
    run = ward.begin("r1")
    ward.add(run, "icu", [("Disease", 0.9, UNSURE), ("Disease", 0.9, UNSURE)])
    ward.connection.execute(
        "INSERT INTO mention_links SELECT document_id, 'a', 0, 'ls', 'X:D02', 0.4, 'context' "
        "FROM documents"
    )
    ward.measure(run)
    assert ward.rows(
        "SELECT linked, abstained FROM quality WHERE scope = 'run' AND corpus = '*' AND label = '*'"
    ) == [(1, 1)]
    assert ward.rows("SELECT DISTINCT branch FROM quality_branches") == [("D02",)]


def test_measured_again_is_the_same(ward: Ward) -> None:
    run = ward.begin("r1")
    ward.add(run, "icu", [("Disease", 0.9, LINKED)] * 7)
    tables = ("quality", "quality_histograms", "quality_branches", "quality_drift")

    def stored() -> list[list[tuple[object, ...]]]:
        return [
            ward.rows(
                f"SELECT * EXCLUDE ({'measured_at' if t == 'quality' else 'corpus'}) "
                f"FROM {t} ORDER BY ALL"
            )
            for t in tables
        ]

    limit = {"fail": {"link_share_below": 1.0}, "min_count": 1}
    ward.measure(run, **limit)
    before = stored()
    ward.measure(run, **limit)
    assert stored() == before and before[3]


def test_nothing_is_written_where_nothing_has_changed(ward: Ward) -> None:
    first, second = ward.begin("r1"), ward.begin("r2")
    ward.add(first, "icu", [("Disease", 0.9, LINKED)])
    ward.measure(first)
    ward.connection.execute("UPDATE runs SET new = 0 WHERE run_id = 'r2'")
    ward.measure(second)
    assert ward.rows("SELECT DISTINCT run_id FROM quality") == [("r1",)]
    ward.connection.execute("UPDATE linksets SET linkset_id = 'newer'")
    ward.measure(second)
    assert ward.rows("SELECT DISTINCT scope FROM quality WHERE run_id = 'r2'") == [("warehouse",)]


def test_a_run_of_rejects_alone_has_their_share(ward: Ward) -> None:
    run = ward.begin("r1")
    ward.connection.execute("UPDATE runs SET new = 0")
    ward.reject(run, "icu", 4)
    ward.measure(run)
    assert ward.rows(
        "SELECT corpus, documents, rejects, reject_share FROM quality WHERE scope = 'run' "
        "ORDER BY 1"
    ) == [("*", 0, 4, 1.0), ("icu", 0, 4, 1.0)]


def test_a_warehouse_linked_to_nothing_has_no_link_share(ward: Ward) -> None:
    ward.connection.execute("UPDATE linksets SET is_current = false")
    run = ward.begin("r1")
    ward.add(run, "icu", [("Disease", 0.9, LINKED)])
    ward.measure(run)
    assert ward.rows("SELECT DISTINCT linkset_id, link_share, linked FROM quality") == [
        (None, None, 0)
    ]


def test_of_very_many_corpora_the_largest_are_measured_one_by_one(ward: Ward) -> None:
    first, second = ward.begin("r1"), ward.begin("r2")
    for corpus, documents in (("a", 9), ("b", 3), ("c", 2)):
        ward.add(first, corpus, [("Disease", 0.9, LINKED)], documents=documents)
    ward.add(second, "c", [("Disease", 0.9, LINKED)], documents=1)
    ward.measure(second, max_corpora=2)
    for table in ("quality", "quality_histograms", "quality_branches"):
        corpora = ward.rows(
            f"SELECT DISTINCT corpus FROM {table} WHERE scope = 'warehouse' ORDER BY 1"
        )
        assert corpora == [("*",), ("a",), ("c",)], "the run's own first, then by documents"
    assert ward.rows(
        "SELECT documents FROM quality WHERE scope = 'warehouse' AND corpus = '*' AND label = '*'"
    ) == [(15,)]


def test_bins_rise() -> None:
    assert list(SCORES) == sorted(SCORES) and list(CHARACTERS) == sorted(CHARACTERS)
