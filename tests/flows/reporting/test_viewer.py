"""What of documents goes into the report's page, and what does not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.reporting.context import ReportOptions
from flows.reporting.report import make_report
from flows.reporting.section import Section
from flows.reporting.viewer import ViewerOptions, viewer_section
from flows.reporting.viewer.packing import Units
from flows.warehouse.connection import Connection, open_warehouse, read_warehouse
from tests.flows.conftest import Bench
from tests.flows.reporting.viewed import HOSTILE, NESTED, PAPERS, WITHOUT_TEXT, make_viewed

SHOWABLE = 4 + PAPERS


@pytest.fixture(scope="module")
def viewed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_viewed(tmp_path_factory.mktemp("viewed"))


@pytest.fixture
def connection(viewed: Path) -> Iterator[Connection]:
    with read_warehouse(viewed) as opened:
        yield opened


def data_of(section: Section) -> dict[str, Any]:
    (block,) = re.findall(
        r'<script type="application/json" id="viewer-data">(.*?)</script>', section.html
    )
    loaded = json.loads(block)
    assert isinstance(loaded, dict)
    return loaded


def ids_of(section: Section) -> list[str]:
    return [row[0] for row in data_of(section)["documents"]]


def section_of(connection: Connection, **options: Any) -> Section:
    return viewer_section(connection, ViewerOptions(with_text=True, **options))


def test_without_text_it_says_how_to_get_it_and_shows_no_document(connection: Connection) -> None:
    section = viewer_section(connection, ViewerOptions())
    assert "--with-text" in section.html
    assert not section.script
    for word in ("fever", "notes:", "n1", "papers", "kidney"):
        assert word not in section.html


def test_all_are_shown_where_there_are_few(connection: Connection) -> None:
    section = section_of(connection)
    assert f"All {SHOWABLE} documents are shown. 1 more have no text here" in section.html
    assert "notes:n5" not in ids_of(section)
    assert WITHOUT_TEXT not in section.html


def test_the_draw_is_stated_and_follows_the_seed(connection: Connection) -> None:
    first = section_of(connection, documents=4, seed=1)
    assert f"4 of {SHOWABLE} documents are shown, drawn at random (seed 1)." in first.html
    assert ids_of(first) == ids_of(section_of(connection, documents=4, seed=1))
    others = [ids_of(section_of(connection, documents=4, seed=seed)) for seed in range(2, 6)]
    assert any(ids_of(first) != other for other in others)
    more = ids_of(section_of(connection, documents=6, seed=1))
    assert set(ids_of(first)) < set(more)


def test_later_documents_are_left_out_where_they_would_be_too_large(
    connection: Connection,
) -> None:
    section = section_of(connection, documents=8, most_bytes=900)
    shown = len(ids_of(section))
    assert 0 < shown < 8
    assert f"{shown} of {SHOWABLE} documents" in section.html
    assert "8 were asked for, but the page would have become too large." in section.html


def test_mentions_are_those_of_the_view(connection: Connection) -> None:
    data = data_of(section_of(connection))
    found = []
    for row in data["documents"]:
        wide = row[6].encode("utf-16-le")
        for at in range(0, len(row[8]), 11):
            start, length, label, score, _, _, concept, link, method, model, _ = row[8][
                at : at + 11
            ]
            words = wide[2 * start : 2 * (start + length)].decode("utf-16-le")
            concept_id, name = data["concepts"][concept] if concept >= 0 else (None, None)
            found.append(
                (row[0], words, data["labels"][label][0], score, concept_id, name, link,
                 data["words"][method] if method >= 0 else None, data["words"][model])
            )  # fmt: skip
    assert sorted(found, key=str) == sorted(
        connection.execute(
            "SELECT document_id, mention_text, label, round(score * 100)::INT, concept_id, "
            "concept_name, coalesce(round(link_score * 100)::INT, -1), link_method, 'rule' "
            "FROM entities JOIN documents USING (document_id) WHERE text IS NOT NULL"
        ).fetchall(),
        key=str,
    )


def test_headings(connection: Connection) -> None:
    rows = {row[0]: row for row in data_of(section_of(connection))["documents"]}
    start, end = rows["notes:n1"][7]
    wide = rows["notes:n1"][6].encode("utf-16-le")
    assert wide[2 * start : 2 * end].decode("utf-16-le") == "LABS:"


def test_no_text_can_end_its_block(connection: Connection) -> None:
    section = section_of(connection)
    assert section.html.count("</script>") == 1
    assert HOSTILE not in section.html
    texts = [row[6] for row in data_of(section)["documents"]]
    assert any(HOSTILE in text for text in texts)
    assert NESTED in texts


def test_the_report_has_the_section(viewed: Path, connection: Connection) -> None:
    report = make_report(connection, viewed, ReportOptions())
    assert [section.id for section in report.sections][-1] == "documents"
    assert "notes:n1" not in report.page


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_units_are_those_of_utf_16(text: str) -> None:
    units = Units(text)
    for place in range(len(text) + 1):
        assert units.before(place) == len(text[:place].encode("utf-16-le")) // 2


def test_a_thousand_abstracts_fit_in_five_megabytes(bench: Bench) -> None:
    bench.warehouse.parent.mkdir(exist_ok=True)
    with open_warehouse(bench.warehouse) as connection:
        connection.execute(
            "INSERT INTO documents BY NAME SELECT 'pubmed:' || (30000000 + n) AS document_id, "
            "'pubmed' AS corpus, (30000000 + n)::VARCHAR AS native_id, 'abstract' AS kind, "
            "repeat('word ' || (n * 7919 % 100000) || ' of it. ', 80)[:1300] AS text, "
            "'h' AS source_hash, 'm' AS metadata_hash, n AS source_order, '{}' AS metadata, "
            "false AS is_deleted FROM range(1000) t(n)"
        )
        connection.execute(
            "INSERT INTO document_annotations BY NAME SELECT document_id, 'a' AS annotation_id, "
            "'h' AS source_hash, '20260101T000000-aaaaaa' AS run_id, 's' AS shard_id, "
            "'done' AS status, true AS is_current FROM documents"
        )
        connection.execute(
            "INSERT INTO linksets VALUES ('l1', 'r1', 1, true, '{}', now()::TIMESTAMP)"
        )
        connection.execute(
            "INSERT INTO mentions BY NAME SELECT document_id, 'a' AS annotation_id, "
            "n AS mention_id, n * 50 AS start_char, n * 50 + 12 AS end_char, "
            "text[n * 50 + 1 : n * 50 + 12] AS mention_text, 'Disease' AS label, 0.93 AS score, "
            "'m' AS model, 'name ' || (hash(document_id, n) % 5000) AS lookup_text "
            "FROM documents, range(25) t(n)"
        )
        connection.execute(
            "INSERT INTO concepts BY NAME SELECT 'r1' AS release_id, 'MESH:D' || n AS concept_id, "
            "'A name as long as they are: ' || n AS concept_name, []::VARCHAR[] AS semantic_types, "
            "[]::VARCHAR[] AS tree_numbers FROM range(5000) t(n)"
        )
        connection.execute(
            "INSERT INTO name_links BY NAME SELECT 'name ' || n AS lookup_text, "
            "'Disease' AS label, 'l1' AS linkset_id, 1 AS rank, 'linked' AS status, "
            "'MESH:D' || n AS concept_id, 0.87 AS score, 'ngram' AS method FROM range(5000) t(n)"
        )
        section = section_of(connection, documents=1000)
    assert len(ids_of(section)) == 1000
    # The page's own 1.2 MB, nearly all of it the charts' library, come on top.
    assert len(section.html.encode()) + 1_500_000 < 5_000_000
