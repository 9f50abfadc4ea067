"""Parquet: every table with all its rows, for DuckDB and pyarrow alike."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow.dataset as ds
import pytest

from flows.derived_settings import DerivedSettings
from flows.errors import UsageError
from flows.exporting.selection import Selection
from flows.exporting.tables import EXPORTED, Tables
from flows.warehouse.connection import open_warehouse
from flows.warehouse.derived.refresh import refresh
from flows.warehouse.derived.schema import DERIVED_TABLES
from tests.flows.conftest import Bench
from tests.flows.exporting.conftest import Export


def count(out: Path, name: str) -> int:
    path = out / name
    query = f"{path}/**/*.parquet" if path.is_dir() else str(path)
    with duckdb.connect(":memory:") as connection:
        ((rows,),) = connection.execute(
            f"SELECT count(*) FROM read_parquet('{query}', hive_partitioning = true)"
        ).fetchall()
    return int(rows)


def test_every_table_has_all_its_rows(filled: Bench, run_export: Export, tmp_path: Path) -> None:
    outcome = run_export(Tables(Selection()))
    out = tmp_path / "out"
    assert {file.name.removesuffix(".parquet") for file in outcome.files} == {
        table.name for table in EXPORTED
    }
    for file in outcome.files:
        table = file.name.removesuffix(".parquet")
        ((rows,),) = filled.query(f"SELECT count(*) FROM {table}")
        assert file.rows == rows == count(out, file.name)
        dataset = ds.dataset(out / file.name, format="parquet", partitioning="hive")
        assert dataset.count_rows() == rows
    assert not list(out.rglob("*salts*"))


def test_rows_are_those_of_the_warehouse(filled: Bench, run_export: Export, tmp_path: Path) -> None:
    run_export(Tables(Selection()))
    for table in ("documents", "mentions", "sections"):
        columns = [name for (name, *_) in filled.query(f"DESCRIBE {table}")]
        chosen = ", ".join(f'"{name}"' for name in columns)
        files = f"'{tmp_path}/out/{table}/**/*.parquet', hive_partitioning = true"
        with duckdb.connect(":memory:") as connection:
            found = connection.execute(
                f"SELECT {chosen} FROM read_parquet({files}) ORDER BY ALL"
            ).fetchall()
        assert found == filled.query(f"SELECT {chosen} FROM {table} ORDER BY ALL")
    corpora = {p.name for p in (tmp_path / "out" / "mentions").iterdir()}
    assert corpora == {"corpus=abstracts", "corpus=notes"}


def test_a_selection_holds_nothing_of_other_documents(
    filled: Bench, run_export: Export, tmp_path: Path
) -> None:
    selection = Selection(corpora=("abstracts",))
    outcome = run_export(Tables(selection), corpora=selection.corpora)
    rows = {file.name: file.rows for file in outcome.files}
    assert (rows["documents"], rows["mentions"], rows["sections"]) == (1, 2, 0)
    assert not {"sources.parquet", "rejects.parquet", "shards.parquet"} & set(rows)
    with duckdb.connect(":memory:") as connection:
        names = connection.execute(
            f"SELECT DISTINCT lookup_text FROM '{tmp_path}/out/name_links.parquet' ORDER BY 1"
        ).fetchall()
    assert names == [("aspirin",), ("ménière’s disease",)]


def test_of_derived_tables_a_selection_holds_those_of_its_documents_alone(
    filled: Bench, run_export: Export, tmp_path: Path
) -> None:
    with open_warehouse(filled.warehouse) as connection:
        refresh(connection, DerivedSettings())
    derived = {table.name for table in DERIVED_TABLES}
    ((whole,),) = filled.query("SELECT count(*) FROM document_concepts")
    rows = {f.name.removesuffix(".parquet"): f.rows for f in run_export(Tables(Selection())).files}
    assert derived <= set(rows)
    assert rows["document_concepts"] == whole == count(tmp_path / "out", "document_concepts")
    assert rows["name_totals"] > 0
    selection = Selection(corpora=("abstracts",))
    expected = run_export(Tables(selection), corpora=selection.corpora, dry_run=True)
    rows = {f.name.removesuffix(".parquet"): f.rows for f in expected.files}
    assert derived & set(rows) == {"document_concepts"}
    assert filled.query("SELECT count(*) FROM document_concepts WHERE corpus = 'abstracts'") == [
        (rows["document_concepts"],)
    ]
    assert 0 < rows["document_concepts"] < whole


def test_only_some_tables(run_export: Export, tmp_path: Path) -> None:
    expected = run_export(Tables(Selection(), ("mentions", "runs")), dry_run=True)
    outcome = run_export(Tables(Selection(), ("mentions", "runs")))
    assert [(f.name, f.rows) for f in outcome.files] == [(f.name, f.rows) for f in expected.files]
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "mentions",
        "runs.parquet",
        "export.json",
    }


@pytest.mark.parametrize("name", ["salts", "entities", "nothing"])
def test_an_unknown_table_is_told(run_export: Export, name: str) -> None:
    with pytest.raises(UsageError, match="no such table to export"):
        run_export(Tables(Selection(), (name,)))


def test_a_table_of_all_documents_goes_with_all_of_them_only(run_export: Export) -> None:
    with pytest.raises(UsageError, match="documents that are not selected"):
        run_export(Tables(Selection("true"), ("sources",)), where="true")


def test_answers_about_no_document_go_with_all_documents_only(
    filled: Bench, run_export: Export, tmp_path: Path
) -> None:
    with open_warehouse(filled.warehouse) as connection:
        connection.execute(
            "INSERT INTO generation_items VALUES "
            "('question:q', 'gen-1', NULL, NULL, 'h', 'r', 's', 'done'), "
            "('notes:11', 'gen-1', 'notes:11', '5', 'h', 'r', 's', 'done')"
        )
        connection.execute(
            "INSERT INTO generation_sources VALUES "
            "('gen-1', 'question:q', 1, 'notes:11', 0, 4, 1.0, true), "
            "('gen-1', 'notes:11', 1, 'notes:11', 0, 4, 1.0, true)"
        )
    rows = {f.name: f.rows for f in run_export(Tables(Selection())).files}
    assert (rows["generation_items"], rows["generation_sources"]) == (2, 2)
    assert count(tmp_path / "out", "generation_items") == 2
    chosen = Selection("kind = 'note'")
    expected = run_export(Tables(chosen), where=chosen.where, dry_run=True)
    rows = {f.name: f.rows for f in expected.files}
    assert (rows["generation_items"], rows["generation_sources"]) == (1, 1)
