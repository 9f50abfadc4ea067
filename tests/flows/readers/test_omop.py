"""Note tables of OMOP's common data model 5.4 in DuckDB, Parquet and CSV, and those of MIMIC-IV."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import SourceError
from flows.readers import READERS
from flows.readers.discover import describe, discover
from flows.readers.record import BadRecord, Document, Record

Read = Callable[..., list[Record]]
Row = dict[str, Any]

TEXT = 'Seen today.\nSays "no pain", 5 mg given.\r\nPlan: rest.'
OMOP_NOTE: Row = {
    "note_id": 7000000001,
    "person_id": 42,
    "note_date": date(2150, 1, 31),
    "note_datetime": datetime(2150, 1, 31, 10, 30),
    "note_type_concept_id": 32831,
    "note_class_concept_id": 706391,
    "note_title": "Progress note",
    "note_text": TEXT,
    "encoding_concept_id": 32678,
    "language_concept_id": 4180186,
    "provider_id": 9,
    "visit_occurrence_id": 303,
    "visit_detail_id": None,
    "note_source_value": "EPIC-1",
    "note_event_id": None,
    "note_event_field_concept_id": None,
}
"""A row with every column of the table, as the specification orders them."""

DDL = """
CREATE TABLE {name} (note_id BIGINT, person_id BIGINT, note_date DATE, note_datetime TIMESTAMP,
note_type_concept_id INTEGER, note_class_concept_id INTEGER, note_title VARCHAR(250),
note_text TEXT, encoding_concept_id INTEGER, language_concept_id INTEGER, provider_id BIGINT,
visit_occurrence_id BIGINT, visit_detail_id BIGINT, note_source_value VARCHAR(50),
note_event_id BIGINT, note_event_field_concept_id INTEGER)
"""
_ROLES = ("note_id", "person_id", "note_date", "note_title", "note_text", "visit_occurrence_id")


def write_duckdb(path: Path, row: Row, table: str = "note") -> None:
    with duckdb.connect(str(path)) as connection:
        if "." in table:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {table.partition('.')[0]}")
        connection.execute(DDL.format(name=table))
        marks = ", ".join("?" for _ in row)
        connection.execute(f"INSERT INTO {table} VALUES ({marks})", list(row.values()))


def write_parquet(path: Path, row: Row) -> None:
    pq.write_table(pa.table({name: [value] for name, value in row.items()}), path)


def write_csv(path: Path, row: Row) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(row)
        writer.writerow(["" if value is None else str(value) for value in row.values()])


WRITERS = {".duckdb": write_duckdb, ".parquet": write_parquet, ".csv": write_csv}


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_every_column_of_a_note_is_kept(
    tmp_path: Path, read: Read, suffix: str, case: Callable[[str], str]
) -> None:
    path = tmp_path / f"note{suffix}"
    row = {case(name): value for name, value in OMOP_NOTE.items()}
    if suffix == ".duckdb":
        write_duckdb(path, OMOP_NOTE, case("note"))
        if case is str.upper:
            with duckdb.connect(str(path)) as connection:
                for name in OMOP_NOTE:
                    connection.execute(f"ALTER TABLE note RENAME {name} TO {name.upper()}")
    else:
        WRITERS[suffix](path, row)
    (document,) = read(path)
    assert isinstance(document, Document)
    assert document.native_id == "7000000001"
    assert document.person_id == "42"
    assert document.encounter_id == "303"
    assert document.document_date == date(2150, 1, 31)
    assert document.document_type == "Progress note"
    assert document.text == TEXT
    assert document.title is None
    metadata = dict(document.metadata)
    if suffix == ".csv":  # all cells of CSV are strings
        assert metadata.pop(case("note_datetime")) == "2150-01-31 10:30:00"
        kept = {name: "" if v is None else str(v) for name, v in OMOP_NOTE.items()}
    else:
        assert metadata.pop(case("note_datetime")) == "2150-01-31T10:30:00"
        kept = OMOP_NOTE
    expected = {name: v for name, v in kept.items() if name not in (*_ROLES, "note_datetime")}
    assert metadata == {case(name): value for name, value in expected.items()}


@pytest.mark.parametrize("suffix", WRITERS)
def test_person_0_is_nobody_in_the_note_table_alone(
    tmp_path: Path, read: Read, suffix: str
) -> None:
    WRITERS[suffix](tmp_path / f"note{suffix}", OMOP_NOTE | {"person_id": 0})
    (document,) = read(tmp_path / f"note{suffix}")
    assert isinstance(document, Document)
    assert document.person_id is None
    other = tmp_path / "other.csv"
    other.write_text("id,text,person_id\n1,Seen.,0\n", encoding="utf-8")
    (document,) = read(other)
    assert isinstance(document, Document)
    assert document.person_id == "0"


@pytest.mark.parametrize("file", ["cdm54.duckdb", "omop cdm.v5.duckdb"])
def test_note_table_is_found_in_any_schema(tmp_path: Path, read: Read, file: str) -> None:
    path = tmp_path / file
    write_duckdb(tmp_path / "new.duckdb", OMOP_NOTE, "cdm54.note")
    (tmp_path / "new.duckdb").rename(path)
    (document,) = read(path)
    assert isinstance(document, Document)
    assert document.person_id == "42"


def test_of_several_tables_one_must_be_named(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "cdm.duckdb"
    write_duckdb(path, OMOP_NOTE, "a.note")
    write_duckdb(path, OMOP_NOTE | {"note_id": 2}, "b.note")
    write_duckdb(path, OMOP_NOTE | {"note_id": 3}, "letters")
    with pytest.raises(SourceError, match=r"several tables note: a\.note, b\.note") as error:
        read(path)
    assert "--column table=" in str(error.value.fix)

    def ids(table: str) -> list[str]:
        records = read(path, columns={"table": table})
        return [r.native_id for r in records if isinstance(r, Document)]

    assert ids("b.note") == ids("B.Note") == ["2"]
    assert ids("letters") == ids("main.letters") == ["3"]
    with pytest.raises(SourceError, match=r"no table c\.note; it has a\.note, b\.note, main\.let"):
        ids("c.note")


def test_a_table_that_is_no_note_table_by_its_columns(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "x.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE letter AS SELECT 5 AS nr, 'Hello.' AS body_of_it")
    columns = {"table": "letter", "text": "body_of_it", "id": "nr"}
    assert read(path, columns=columns) == [Document("5", "Hello.", "note")]
    (file,) = discover([str(path)], columns=columns)
    assert describe(file)["columns"] == {"table": "letter", "text": "body_of_it", "id": "nr"}


def test_a_table_is_named_for_sources_without_tables(tmp_path: Path) -> None:
    write_csv(tmp_path / "note.csv", OMOP_NOTE)
    with pytest.raises(SourceError, match="no source holds tables"):
        discover([str(tmp_path / "note.csv")], columns={"table": "note"})


def test_duckdb_files_in_folders_are_read_only_if_the_format_is_named(tmp_path: Path) -> None:
    write_csv(tmp_path / "note.csv", OMOP_NOTE)
    write_duckdb(tmp_path / "warehouse.duckdb", OMOP_NOTE)
    assert [file.path.name for file in discover([str(tmp_path)])] == ["note.csv"]
    named = discover([str(tmp_path)], format="duckdb")
    assert [file.path.name for file in named] == ["warehouse.duckdb"]


def test_order_of_rows_and_rows_that_cannot_be_read(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "x.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE note AS SELECT range AS note_id, 'Note ' || range AS note_text, "
            "DATE '2150-01-01' AS note_date FROM range(3000)"
        )
        connection.execute("UPDATE note SET note_date = 'infinity' WHERE note_id = 1500")
    records = read(path)
    unread = BadRecord("row holds a value that cannot be read")
    assert records.count(unread) == 1
    documents = [record for record in records if isinstance(record, Document)]
    assert len(documents) == 2999
    assert all(document.text == f"Note {document.native_id}" for document in documents)
    assert read(path) == records


def test_a_view_cannot_read_other_files(tmp_path: Path, read: Read) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("note_id,note_text\n1,Not of this file.\n")
    path = tmp_path / "x.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE VIEW note AS SELECT * FROM read_csv('{secret}')")
    with pytest.raises(SourceError, match="PermissionException"):
        read(path)


def test_the_file_is_not_written(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "x.duckdb"
    write_duckdb(path, OMOP_NOTE)
    path.chmod(0o444)
    before = path.read_bytes()
    read(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["x.duckdb"]


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"\0" * 8 + b"DUCK" + b"\0" * 99])
def test_damaged_files_are_told(tmp_path: Path, read: Read, content: bytes) -> None:
    path = tmp_path / "x.duckdb"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="cannot be read as a DuckDB file"):
        read(path)


def test_a_file_that_is_open_for_writing_is_told(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "x.duckdb"
    write_duckdb(path, OMOP_NOTE)
    with duckdb.connect(str(path)), pytest.raises(SourceError) as error:
        read(path)
    assert "Close what has it open" in str(error.value.fix)


MIMIC_HEADER = ["note_id", "subject_id", "hadm_id", "note_type", "note_seq", "charttime"]


@pytest.mark.parametrize(
    ("name", "note_type", "hadm_id"),
    [("discharge", "DS", "22595853"), ("radiology", "RR", ""), ("radiology", "AR", "22595853")],
)
def test_notes_of_mimic(
    tmp_path: Path, read: Read, name: str, note_type: str, hadm_id: str
) -> None:
    path = tmp_path / f"{name}.csv.gz"
    native_id = f"10000032-{note_type}-21"
    with gzip.open(path, "wt", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*MIMIC_HEADER, "storetime", "text"])
        cells = [native_id, "10000032", hadm_id, note_type, "21", "2180-05-07 00:00:00"]
        writer.writerow([*cells, "2180-05-09 15:26:00", TEXT])
    assert read(path) == [
        Document(
            native_id,
            TEXT,
            "note",
            document_date=date(2180, 5, 7),
            document_type=note_type,
            person_id="10000032",
            encounter_id=hadm_id or None,
            metadata={
                "note_seq": "21",
                "storetime": "2180-05-09 15:26:00",
                "charttime": "2180-05-07 00:00:00",
            },
        )
    ]


TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1
).filter(str.strip)


@settings(max_examples=20)
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_any_text_of_a_duckdb_file_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, read: Read, texts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("duckdb") / "x.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE note (note_id INTEGER, note_text VARCHAR)")
        connection.executemany("INSERT INTO note VALUES (?, ?)", list(enumerate(texts)))
    (file,) = discover([str(path)])
    records = list(READERS["duckdb"].read(file))
    assert records == [Document(str(n), text, "note") for n, text in enumerate(texts)]
