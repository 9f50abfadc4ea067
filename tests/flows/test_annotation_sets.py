"""Annotation sets side by side: which are kept, which is current, and what removes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.counts import PlanCounts
from flows.warehouse.connection import open_warehouse
from tests.flows.conftest import Bench
from tests.flows.test_ledger import citation, release

Notes = Callable[..., Path]

LEDGER = "SELECT document_id, annotation_id, is_current FROM document_annotations ORDER BY ALL"
SETS = "SELECT document_id, annotation_id FROM mentions ORDER BY ALL"
SHOWN = "SELECT document_id, annotation_id, mention_text FROM entities ORDER BY ALL"


def run(bench: Bench, annotation_id: str, *sources: Path, keep: bool = True) -> PlanCounts:
    bench.annotation_id = annotation_id
    bench.keep_previous = keep
    return bench.run(*sources)


def test_a_kept_set_stands_beside_the_current_one(bench: Bench, notes: Notes) -> None:
    source = notes(a="asthma today")
    run(bench, "one", source)
    run(bench, "two", source)
    assert bench.query(LEDGER) == [("notes:a", "one", False), ("notes:a", "two", True)]
    assert bench.query(SETS) == [("notes:a", "one"), ("notes:a", "two")]
    assert bench.query(SHOWN) == [("notes:a", "two", "asthma")]
    assert bench.query("SELECT count(*) FROM documents") == [(1,)]


def test_a_set_that_is_there_becomes_current_without_annotation(bench: Bench, notes: Notes) -> None:
    source = notes(a="asthma today", b="gout today")
    run(bench, "one", source)
    run(bench, "two", source)
    counts = run(bench, "one", source, keep=False)
    assert (counts.skipped, counts.replaced) == (2, 0)
    assert {row[1] for row in bench.query(SHOWN)} == {"one"}
    assert len(bench.query(SETS)) == 4
    assert bench.query("SELECT count(*) FROM shards") == [(2,)]


def test_without_the_flag_only_the_current_set_is_replaced(bench: Bench, notes: Notes) -> None:
    source = notes(a="asthma today")
    run(bench, "one", source)
    run(bench, "two", source)
    run(bench, "three", source, keep=False)
    assert bench.query(LEDGER) == [("notes:a", "one", False), ("notes:a", "three", True)]
    assert bench.query(SETS) == [("notes:a", "one"), ("notes:a", "three")]


def test_sets_of_an_older_text_go(bench: Bench, notes: Notes) -> None:
    source = notes(a="asthma today", b="gout today")
    run(bench, "one", source)
    run(bench, "two", source)
    notes(a="rash today", b="gout today")
    run(bench, "two", source)
    assert bench.query(LEDGER) == [
        ("notes:a", "two", True),
        ("notes:b", "one", False),
        ("notes:b", "two", True),
    ]
    assert bench.query("SELECT annotation_id, mention_text FROM mentions ORDER BY ALL") == [
        ("one", "gout"),
        ("two", "gout"),
        ("two", "rash"),
    ]


def test_changed_metadata_leaves_all_sets(bench: Bench, tmp_path: Path) -> None:
    source = tmp_path / "n.jsonl"
    source.write_text('{"id": "a", "text": "asthma", "note_type": "x"}\n')
    run(bench, "one", source)
    run(bench, "two", source)
    source.write_text('{"id": "a", "text": "asthma", "note_type": "y"}\n')
    run(bench, "one", source)
    assert bench.query(LEDGER) == [("n:a", "one", True), ("n:a", "two", False)]
    assert bench.query("SELECT document_type FROM documents") == [("y",)]


def test_a_deletion_removes_all_sets_and_their_links(bench: Bench, tmp_path: Path) -> None:
    baseline = release(tmp_path, "pubmed24n0001", citation(1, "Asthma."), citation(2, "Gout."))
    run(bench, "one", baseline)
    run(bench, "two", baseline)
    bench.query(
        "INSERT INTO mention_links SELECT document_id, annotation_id, mention_id, 'l', 'C', 1.0, "
        "'context' FROM mentions"
    )
    run(bench, "two", release(tmp_path, "pubmed24n1300", deleted=(1,)))
    for table in ("mentions", "mention_links", "document_annotations"):
        assert bench.query(f"SELECT DISTINCT document_id FROM {table}") == [("pubmed:2",)], table


def test_rejects_belong_to_their_set(bench: Bench, notes: Notes) -> None:
    source = notes(a="unreadable words")
    run(bench, "one", source)
    run(bench, "two", source)
    rejects = "SELECT annotation_id FROM rejects ORDER BY ALL"
    assert bench.query(rejects) == [("one",), ("two",)]
    run(bench, "three", source, keep=False)
    assert bench.query(rejects) == [("one",), ("three",)]


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["one", "two", "three"]), st.booleans(), st.sampled_from("xyz")),
        min_size=1,
        max_size=5,
    )
)
def test_every_document_has_one_current_set_and_no_set_of_another_text(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, bool, str]]
) -> None:
    folder = tmp_path_factory.mktemp("sets")
    bench, source = Bench(folder / "w.duckdb"), folder / "n.jsonl"
    for annotation_id, keep, text in steps:
        source.write_text(
            f'{{"id": "a", "text": "{text}"}}\n{{"id": "b", "text": "always the same"}}\n'
        )
        run(bench, annotation_id, source, keep=keep)
        with open_warehouse(bench.warehouse) as connection:
            rows = connection.execute(
                "SELECT a.document_id, count(*) FILTER (a.is_current), "
                "max(a.annotation_id) FILTER (a.is_current), "
                "count(*) FILTER (a.source_hash != d.source_hash) "
                "FROM document_annotations a JOIN documents d USING (document_id) GROUP BY 1 "
                "ORDER BY 1"
            ).fetchall()
            stray = connection.execute(
                "SELECT count(*) FROM mentions m ANTI JOIN document_annotations a "
                "USING (document_id, annotation_id)"
            ).fetchall()
            per_set = connection.execute(
                "SELECT max(n) FROM (SELECT count(*) AS n FROM mentions GROUP BY document_id, "
                "annotation_id)"
            ).fetchall()
        assert rows == [("n:a", 1, annotation_id, 0), ("n:b", 1, annotation_id, 0)]
        assert (stray, per_set) == ([(0,)], [(1,)])
