"""Macros of a warehouse: a chosen set or linkset, what is under a concept, and spans of a text."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.cli.main import _run
from flows.warehouse.access import Access
from flows.warehouse.connection import Connection, open_warehouse, prepare, read_warehouse
from flows.warehouse.macros import (
    MACROS,
    NO_SUCH_CONCEPT,
    NO_SUCH_LINKSET,
    NO_SUCH_SET,
)
from flows.warehouse.snapshots import publish
from tests.flows.conftest import Bench, write_jsonl

ROWS = (
    "INSERT INTO annotation_sets VALUES ('old-1', ['rule'], '{}', now()::TIMESTAMP), "
    "('old-2', ['rule'], '{}', now()::TIMESTAMP), ('new-1', ['rule'], '{}', now()::TIMESTAMP) "
    "ON CONFLICT DO NOTHING",
    "INSERT INTO ontology_releases VALUES ('r1', 'mesh', 2, 2, '', 's'), "
    "('r2', 'mesh', 2, 2, '', 's')",
    "INSERT INTO linksets (linkset_id, release_id, position, is_current, settings, created_at) "
    "VALUES ('ls-1', 'r1', 1, false, '{}', now()::TIMESTAMP), "
    "('ls-2', 'r2', 1, true, '{}', now()::TIMESTAMP)",
    # r1 knows asthma as something else; in r2 gout is beside it.
    "INSERT INTO concepts BY NAME SELECT r AS release_id, c AS concept_id, n AS concept_name, "
    "[]::VARCHAR[] AS semantic_types, []::VARCHAR[] AS tree_numbers FROM (VALUES "
    "('r1', 'MESH:9', 'Wheeze'), ('r2', 'MESH:1', 'Asthma'), ('r2', 'MESH:0', 'Lung Diseases'), "
    "('r2', 'MESH:2', 'Gout'), ('r2', 'MESH:3', 'Twin'), ('r2', 'MESH:4', 'twin')) v(r, c, n)",
    "INSERT INTO concept_names BY NAME SELECT release_id, concept_id, concept_name AS name, "
    "true AS is_preferred FROM concepts",
    "INSERT INTO concept_names BY NAME SELECT 'r2' AS release_id, 'MESH:1' AS concept_id, "
    "'bronchial asthma' AS name, false AS is_preferred",
    "INSERT INTO concept_ancestors BY NAME SELECT release_id, concept_id, concept_id AS "
    "ancestor_id, 0 AS distance FROM concepts UNION ALL SELECT 'r2', 'MESH:1', 'MESH:0', 1",
    "INSERT INTO name_links BY NAME SELECT 'Asthma' AS lookup_text, 'Disease' AS label, "
    "l AS linkset_id, 1 AS rank, 'linked' AS status, c AS concept_id, 1.0 AS score, "
    "'exact' AS method, 'x' AS matched_name FROM (VALUES ('ls-1', 'MESH:9'), "
    "('ls-2', 'MESH:1')) v(l, c)",
)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Notes a and b annotated by set old-1, with Asthma and Gout, and by new-1."""
    folder = tmp_path_factory.mktemp("sets")
    bench = Bench(folder / "w.duckdb", annotation_id="old-1", keep_previous=True)
    notes = [{"id": "a", "text": "Asthma today."}, {"id": "b", "text": "Gout today."}]
    bench.run(write_jsonl(folder / "notes.jsonl", *notes))
    bench.annotation_id = "new-1"
    bench.run(folder / "notes.jsonl")
    with open_warehouse(bench.warehouse) as connection:
        for statement in ROWS:
            connection.execute(statement)
    return bench


@pytest.fixture(scope="module")
def connection(sets: Bench) -> Iterator[Connection]:
    with read_warehouse(sets.warehouse) as opened:
        yield opened


def rows(connection: Connection, sql: str) -> list[tuple[object, ...]]:
    return connection.execute(sql).fetchall()


def test_without_arguments_entities_are_the_current_ones(connection: Connection) -> None:
    current = rows(connection, "FROM entities ORDER BY ALL")
    assert len(current) == 2
    assert (
        rows(connection, "SELECT * EXCLUDE (is_current) FROM entities_of() ORDER BY ALL") == current
    )
    assert rows(connection, "SELECT DISTINCT is_current FROM entities_of()") == [(True,)]


@pytest.mark.parametrize("asked", ["old-1", "old-1%run"])
def test_a_chosen_set_shows_what_it_found(connection: Connection, asked: str) -> None:
    if asked.endswith("%run"):  # the run that wrote it
        query = "SELECT run_id FROM runs WHERE annotation_id = 'old-1'"
        ((asked,),) = rows(connection, query)  # type: ignore[assignment]
    found = connection.execute(
        "SELECT document_id, mention_text, concept_id, is_current FROM entities_of(?) ORDER BY ALL",
        [asked],
    ).fetchall()
    assert [(document.rpartition(":")[2], *rest) for document, *rest in found] == [
        ("a", "Asthma", "MESH:1", False),
        ("b", "Gout", None, False),
    ]
    assert connection.execute(
        "SELECT mention_text FROM mentions_of(?) ORDER BY ALL", [asked]
    ).fetchall() == [("Asthma",), ("Gout",)]


def test_a_chosen_linkset_shows_its_concepts(connection: Connection) -> None:
    shown = "SELECT mention_text, concept_id, concept_name, linkset_id FROM entities_of"
    assert rows(connection, f"{shown}('new', 'ls-1') ORDER BY document_id") == [
        ("Asthma", "MESH:9", "Wheeze", "ls-1"),
        ("Gout", None, None, "ls-1"),
    ]
    assert rows(connection, f"{shown}(linkset := 'ls-2') ORDER BY document_id") == rows(
        connection, f"{shown}() ORDER BY document_id"
    )
    assert rows(connection, "SELECT concept_id FROM links_of('ls-1')") == [("MESH:9",)]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("FROM entities_of('never')", NO_SUCH_SET),
        ("FROM entities_of('old')", NO_SUCH_SET),  # old-1 or old-2
        ("FROM mentions_of('')", NO_SUCH_SET),
        ("FROM entities_of(linkset := 'ls')", NO_SUCH_LINKSET),
        ("FROM links_of('x')", NO_SUCH_LINKSET),
        ("FROM entities_under('Asthmatic')", NO_SUCH_CONCEPT),
        ("FROM concepts_under('TWIN')", NO_SUCH_CONCEPT),
        ("FROM concepts_under('MESH:9')", NO_SUCH_CONCEPT),  # not of the current release
    ],
)
def test_an_argument_that_does_not_fit_one_thing_is_an_error(
    connection: Connection, query: str, said: str
) -> None:
    with pytest.raises(duckdb.InvalidInputException, match=re.escape(said)):
        rows(connection, query)


def test_what_is_under_a_concept_is_found_by_id_or_name(connection: Connection) -> None:
    expected = [("MESH:0", "Lung Diseases", 0), ("MESH:1", "Asthma", 1)]
    for asked in ("MESH:0", "Lung Diseases", "lung diseases"):
        assert rows(connection, f"FROM concepts_under('{asked}')") == expected
        assert rows(connection, f"SELECT mention_text FROM entities_under('{asked}')") == [
            ("Asthma",)
        ]
    assert rows(connection, "SELECT concept_id FROM concepts_under('MESH:4')") == [("MESH:4",)]


@pytest.mark.parametrize("chosen", ["MESH:1", "MESH:2"])
def test_what_context_chose_counts_and_what_it_overruled_does_not(
    sets: Bench, tmp_path: Path, chosen: str
) -> None:
    """Of Asthma context made something else, of Gout, which has no link, what is asked for."""
    own = tmp_path / "own.duckdb"
    shutil.copy(sets.warehouse, own)
    with open_warehouse(own) as connection:
        connection.execute(
            "INSERT INTO mention_links BY NAME SELECT document_id, annotation_id, mention_id, "
            "'ls-2' AS linkset_id, ? AS concept_id, 0.9 AS score, 'context' AS method "
            "FROM mentions WHERE annotation_id = 'new-1'",
            [chosen],
        )
        for concept in ("MESH:0", "MESH:1", "MESH:2"):
            found = rows(connection, f"FROM entities_under('{concept}') ORDER BY ALL")
            assert found == rows(
                connection,
                "FROM entities WHERE concept_id IN "
                f"(SELECT concept_id FROM concepts_under('{concept}')) ORDER BY ALL",
            )
            assert len(found) == 2 * (chosen in (concept, "MESH:1" if concept == "MESH:0" else ""))


def test_concepts_are_found_by_part_of_a_name(connection: Connection) -> None:
    assert rows(connection, "SELECT concept_id, name FROM concepts_named('ASTH')") == [
        ("MESH:1", "Asthma"),
        ("MESH:1", "bronchial asthma"),
    ]


def test_a_name_is_given_whatever_the_column_is_called(connection: Connection) -> None:
    """An argument is put in as written: it must not be taken for a column inside the macro."""
    for column in ("concept_id", "e.concept_id", "id", "name_links.concept_id"):
        table = column.partition(".")[0] if "." in column else "e"
        plain = column.rpartition(".")[2]
        found = rows(
            connection,
            f"SELECT concept_name({column}) FROM (VALUES ('MESH:1'), ('MESH:2'), ('MESH:9'), "
            f"(NULL)) AS {table}({plain})",
        )
        assert [name for (name,) in found] == ["Asthma", "Gout", None, None], column


@pytest.fixture(scope="module")
def empty() -> Iterator[Connection]:
    with duckdb.connect(":memory:") as opened:
        prepare(opened)
        yield opened


@settings(max_examples=50)
@given(st.text(), st.data())
def test_a_span_is_the_slice_that_offsets_mean(
    empty: Connection, text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    around = data.draw(st.integers(0, 8))
    ((span, snippet),) = empty.execute(
        "SELECT span(body, s, e), snippet(body, s, e, around := n) "
        "FROM (SELECT ? AS body, ? AS s, ? AS e, ? AS n)",
        [text, start, end, around],
    ).fetchall()
    assert span == text[start:end]
    before, after = text[max(0, start - around) : start], text[end : end + around]
    assert snippet == re.sub(r"[ \t\n\r\f]+", " ", f"{before}[[{text[start:end]}]]{after}")


def test_they_have_their_meanings_as_comments(empty: Connection) -> None:
    there = empty.execute(
        "SELECT function_name, comment FROM duckdb_functions() WHERE NOT internal ORDER BY 1"
    ).fetchall()
    assert there == sorted((macro.name, macro.meaning) for macro in MACROS)


def test_a_warehouse_that_lacks_them_has_them_once_it_is_opened(
    sets: Bench, tmp_path: Path
) -> None:
    older = tmp_path / "older.duckdb"
    shutil.copy(sets.warehouse, older)
    with duckdb.connect(str(older)) as connection:
        connection.execute("DROP MACRO TABLE entities_of")
        connection.execute("DROP MACRO span")
    with open_warehouse(older):
        pass
    with read_warehouse(older) as connection:
        assert rows(connection, "SELECT count(*), any_value(span('gout', 1, 3)) FROM entities_of()")


def test_a_snapshot_and_an_encrypted_one_have_them(sets: Bench, tmp_path: Path) -> None:
    for name, access in (
        ("plain.duckdb", Access()),
        ("secret.duckdb", Access(key="k" * 20, unsafe_crypto=True)),
    ):
        own = tmp_path / f"of_{name}"
        shutil.copy(sets.warehouse, own)
        with open_warehouse(own) as connection:  # a view of an analyst's comes along too
            connection.execute("CREATE VIEW lungs AS FROM entities_under('Lung Diseases')")
            publish(connection, own, tmp_path / name, access)
        with read_warehouse(tmp_path / name, access) as connection:
            assert rows(connection, "SELECT count(*) FROM entities_of('old-1')") == [(2,)]
            assert rows(connection, "SELECT mention_text FROM lungs") == [("Asthma",)]


def test_beside_other_databases_they_work_after_use(sets: Bench, tmp_path: Path) -> None:
    own = tmp_path / "own.duckdb"
    shutil.copy(sets.warehouse, own)
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"ATTACH '{own}' AS w (READ_ONLY)")
        with pytest.raises(duckdb.CatalogException):
            rows(connection, "FROM w.entities_of()")
        connection.execute("USE w")
        assert rows(connection, "SELECT count(*) FROM entities_of('new')") == [(2,)]


def test_where_one_is_missing_the_way_to_it_is_told(
    sets: Bench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    older = tmp_path / "older.duckdb"
    shutil.copy(sets.warehouse, older)
    with duckdb.connect(str(older)) as connection:
        connection.execute("DROP MACRO TABLE entities_of")
    query = "FROM entities_of('old-1')"
    monkeypatch.setattr(sys, "argv", ["charthouse", "sql", "-w", str(older), query])
    assert _run() == 1
    assert "charthouse refresh" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("FROM entities_of('never')", f"charthouse: query: {NO_SUCH_SET}"),
        (
            "SELECT error('of a text') FROM entities",
            "charthouse: query failed while it ran (InvalidInputException)",
        ),
    ],
)
def test_the_command_tells_what_a_macro_refuses_and_no_other_value(
    sets: Bench,
    tmp_path: Path,
    query: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = tmp_path / "own.duckdb"
    shutil.copy(sets.warehouse, own)
    monkeypatch.setattr(sys, "argv", ["charthouse", "sql", "-w", str(own), query])
    assert _run() == 1
    assert capsys.readouterr().err.strip() == said


def test_the_command_lists_them(
    sets: Bench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = tmp_path / "own.duckdb"
    shutil.copy(sets.warehouse, own)
    monkeypatch.setattr(sys, "argv", ["charthouse", "tables", "-w", str(own), "-f", "csv"])
    assert _run() == 0
    listed = capsys.readouterr().out
    for macro in MACROS:
        assert f"{macro.signature}" in listed.replace('"', "")
