"""OMOP: the CDM's own columns, its conventions, ids that stay, concepts by Athena's files."""

from __future__ import annotations

import contextlib
import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import CharthouseError
from flows.exporting.choices import IdMode, OmopFile
from flows.exporting.omop.ids import IDS, assign_ids, write_ids
from flows.exporting.omop.omop import Omop
from flows.exporting.omop.tables import TABLES, ddl
from flows.exporting.selection import Selection, select_documents
from flows.warehouse.connection import open_warehouse, prepare
from flows.warehouse.erasing import Subjects
from tests.flows.conftest import Bench
from tests.flows.exporting.conftest import NOTE_1, Export, add_mention

CDM = Path(__file__).with_name("omop_cdm_5_4.tsv")
"""Columns of OHDSI's CommonDataModel, inst/ddl/5.4/duckdb/OMOPCDM_duckdb_5.4_ddl.sql."""

ATHENA = {
    "CONCEPT.csv": [
        "concept_id concept_name domain_id vocabulary_id concept_class_id standard_concept "
        "concept_code valid_start_date valid_end_date invalid_reason",
        "77670 Chest_pain Condition SNOMED Finding S 29857009 19700101 20991231 ",
        '437663 Fever"s Condition SNOMED Finding S 386661006 19700101 20991231 ',
        "437664 Fever_too Condition SNOMED Finding S 386661007 19700101 20991231 ",
        "1 Old_pain Condition SNOMED Finding  1 19700101 20001231 D",
        "45612345 Chest_Pain Condition MeSH Main_Heading  D002637 19700101 20991231 ",
        "45612346 Fever Condition MeSH Main_Heading  D005334 19700101 20991231 ",
        "45612347 Rash Condition MeSH Main_Heading  D005076 19700101 20991231 ",
        "3000001 Chief_complaint Meas LOINC Panel S 10154-3 19700101 20991231 ",
    ],
    "CONCEPT_RELATIONSHIP.csv": [
        "concept_id_1 concept_id_2 relationship_id valid_start_date valid_end_date invalid_reason",
        "45612345 77670 Maps_to 19700101 20991231 ",
        "45612345 1 Maps_to 19700101 20991231 ",
        "45612346 437664 Maps_to 19700101 20991231 ",
        "45612346 437663 Maps_to 19700101 20991231 ",
        "45612347 77670 Maps_to 19700101 20001231 D",
        "45612347 77670 Is_a 19700101 20991231 ",
        "3000001 3000001 Maps_to 19700101 20991231 ",
    ],
}


@pytest.fixture
def athena(tmp_path: Path) -> Path:
    folder = tmp_path / "athena"
    folder.mkdir()
    for name, rows in ATHENA.items():
        lines = ["\t".join(cell.replace("_", " ") for cell in row.split(" ")) for row in rows[1:]]
        header = "\t".join(rows[0].split())
        (folder / name).write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return folder


def rows(out: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(out / "omop.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_tables_are_those_of_the_cdm() -> None:
    with CDM.open(encoding="utf-8") as file:
        expected = [tuple(row.values()) for row in csv.DictReader(file, delimiter="\t")]
    with duckdb.connect(":memory:") as connection:
        for table in TABLES:
            connection.execute(ddl("main", table))
        found = connection.execute(
            "SELECT table_name, column_name, data_type, "
            "CASE WHEN is_nullable THEN 'no' ELSE 'yes' END FROM duckdb_columns() "
            "WHERE NOT internal ORDER BY table_name, column_index"
        ).fetchall()
    assert found == expected
    lengths = {(t, c.name): c.type for t, columns in TABLES.items() for c in columns}
    assert (
        lengths["note_nlp", "snippet"] == lengths["note_nlp", "lexical_variant"] == "varchar(250)"
    )
    assert lengths["note_nlp", "offset"] == "varchar(50)"
    assert lengths["note_nlp", "term_modifiers"] == "varchar(2000)"


def test_every_mention_is_a_row_that_joins_its_note(run_export: Export, tmp_path: Path) -> None:
    outcome = run_export(Omop(tmp_path / "ids"))
    out = tmp_path / "out"
    assert outcome.counts["mentions"] == 11
    assert rows(
        out,
        "SELECT note_source_value, count(*) FROM note JOIN note_nlp USING (note_id) GROUP BY 1 "
        "ORDER BY 1",
    ) == [("11", 7), ("12", 1), ("13", 1), ("77", 2)]
    for mention, offset in rows(
        out, 'SELECT lexical_variant, "offset" FROM note_nlp WHERE note_id = 11'
    ):
        assert NOTE_1[int(offset) :].startswith(mention)
    # Native ids are integers here: they are OMOP's.
    assert rows(out, "SELECT note_id, person_id, note_date::VARCHAR FROM note ORDER BY 1") == [
        (11, 5, "2024-02-03"),
        (12, 6, "1970-01-01"),
        (13, 0, "1970-01-01"),
        (77, 0, "1970-01-01"),
    ]
    assert rows(out, "SELECT DISTINCT note_text, note_title FROM note") == [("", None)]


def test_assertions_follow_the_conventions_of_the_cdm(run_export: Export, tmp_path: Path) -> None:
    run_export(Omop(tmp_path / "ids"))
    told = {
        name: rest
        for name, *rest in rows(
            tmp_path / "out",
            "SELECT lower(lexical_variant), term_exists, term_temporal, term_modifiers "
            "FROM note_nlp WHERE note_id = 11",
        )
    }
    usual = "negated=no,subject=patient,certainty=certain,conditional=false"
    assert told == {
        "chest pain": ["Y", "Present", usual],
        "fever": ["N", "Present", usual.replace("negated=no", "negated=yes")],
        "diabetes": ["N", "Present", usual.replace("subject=patient", "subject=family")],
        "asthma": ["Y", "Past", usual],
        "gout": ["Y", "Present", usual.replace("certainty=certain", "certainty=uncertain")],
        "rash": ["N", "Future", usual.replace("conditional=false", "conditional=true")],
        "sodium": ["Y", "Present", usual],
    }
    assert rows(
        tmp_path / "out",
        "SELECT term_exists, term_temporal, term_modifiers FROM note_nlp WHERE note_id = 12",
    ) == [(None, None, None)]


def test_what_is_ruled_out_does_not_exist(
    filled: Bench, run_export: Export, tmp_path: Path
) -> None:
    with open_warehouse(filled.warehouse) as connection:
        connection.execute("UPDATE assertion_cues SET rule_id = 'rule_out'")
    run_export(Omop(tmp_path / "ids"))
    assert rows(
        tmp_path / "out",
        "SELECT term_exists FROM note_nlp WHERE lexical_variant = 'gout' AND note_id = 11",
    ) == [("N",)]


def test_snippets_have_250_characters_with_the_mention(
    filled: Bench, run_export: Export, tmp_path: Path
) -> None:
    with open_warehouse(filled.warehouse) as connection:
        connection.execute(
            "UPDATE documents SET text = text || repeat('𝛼é ', 300) || 'asthma' "
            "WHERE document_id = 'notes:12'"
        )
        add_mention(connection, "notes:12", "asthma")
    run_export(Omop(tmp_path / "ids"))
    found = rows(tmp_path / "out", "SELECT note_id, lexical_variant, snippet FROM note_nlp")
    for note, mention, snippet in found:
        if note == 13:
            assert snippet is None  # the warehouse has no text of it
        else:
            assert mention in snippet
            assert len(snippet) <= 250
            assert not set(snippet) & set("\r\n\t")
    assert {n: m for n, m, _ in found}[13] == "gout"  # the name that was looked up
    run_export(Omop(tmp_path / "ids", snippets=False), overwrite=True)
    assert rows(tmp_path / "out", "SELECT count(snippet) FROM note_nlp") == [(0,)]


def test_text_goes_with_the_notes_on_demand(run_export: Export, tmp_path: Path) -> None:
    run_export(Omop(tmp_path / "ids", with_text=True))
    texts = dict(rows(tmp_path / "out", "SELECT note_id, note_text FROM note"))
    assert texts[11] == NOTE_1
    assert texts[13] == ""
    assert rows(tmp_path / "out", "SELECT note_title FROM note WHERE note_id = 77") == [
        ("Aspirin in Ménière’s disease.",)
    ]


def test_csv_and_parquet_hold_the_same_as_the_database(run_export: Export, tmp_path: Path) -> None:
    run_export(Omop(tmp_path / "ids", with_text=True))
    out = tmp_path / "out"
    for table in TABLES:
        whole = rows(out, f"FROM {table} ORDER BY 1")
        assert rows(out, f"FROM '{out / table}.parquet' ORDER BY 1") == whole
        types = ", ".join(f"'{c.name}': '{c.type.partition('(')[0]}'" for c in TABLES[table])
        read = f"read_csv('{out / table}.csv', header = true, columns = {{{types}}})"
        # An empty text and none look the same in CSV.
        texts = [c.name for c in TABLES[table] if "char" in c.type or c.type == "TEXT"]
        same = ", ".join(f"nullif({n}, '') AS {n}" for n in (f'"{t}"' for t in texts))
        query = f"SELECT * REPLACE ({same}) FROM {{}} ORDER BY 1"
        assert rows(out, query.format(read)) == rows(out, query.format(table))
    run_export(Omop(tmp_path / "ids", files=(OmopFile.csv,)), overwrite=True)
    assert {p.name for p in out.iterdir()} == {"note.csv", "note_nlp.csv", "export.json"}


def test_concepts_are_those_that_athena_maps_to(
    run_export: Export, tmp_path: Path, athena: Path
) -> None:
    outcome = run_export(Omop(tmp_path / "ids", vocabulary=athena))
    found = {
        name: (concept, source, section)
        for name, concept, source, section in rows(
            tmp_path / "out",
            "SELECT lower(lexical_variant), note_nlp_concept_id, note_nlp_source_concept_id, "
            "section_concept_id FROM note_nlp WHERE note_id = 11",
        )
    }
    assert found["chest pain"] == (77670, 45612345, 3000001)
    assert found["fever"] == (437663, 45612346, 0)  # maps to two: the lower one
    assert found["rash"] == (0, 45612347, 0)  # its mapping is no longer valid
    assert found["gout"] == (0, 0, 0)
    assert outcome.counts["concepts in use"] == 9
    assert outcome.counts["concepts mapped"] == 2
    assert outcome.counts["concepts that map to several"] == 1
    assert outcome.counts["mentions without an OMOP concept"] == 11 - 3


def test_the_users_own_map_wins(run_export: Export, tmp_path: Path, athena: Path) -> None:
    own = tmp_path / "own.tsv"
    own.write_text(
        "source\tconcept_id\nmesh:d005334\t9\nC0011849\t201826\nMESH:D000001\t7\n",
        encoding="utf-8",
    )
    outcome = run_export(Omop(tmp_path / "ids", vocabulary=athena, concept_map=own))
    found = dict(
        rows(
            tmp_path / "out",
            "SELECT lower(lexical_variant), note_nlp_concept_id FROM note_nlp WHERE note_id = 11",
        )
    )
    assert (found["fever"], found["diabetes"], found["chest pain"]) == (9, 201826, 77670)
    assert outcome.counts["rows of --concept-map that match no concept in use"] == 1


def test_concepts_in_use_are_those_of_the_selected_documents(
    run_export: Export, tmp_path: Path, athena: Path
) -> None:
    outcome = run_export(Omop(tmp_path / "ids", vocabulary=athena), where="native_id = '12'")
    assert outcome.counts["concepts in use"] == outcome.counts["concepts mapped"] == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("a\tb\n1\t2\n", "is no table of the columns source and concept_id"),
        ("source\tconcept_id\nMESH:D1\t1\nMESH:D2\tmany\n", "line 3: no source, or concept_id"),
    ],
)
def test_a_bad_map_is_told(run_export: Export, tmp_path: Path, content: str, problem: str) -> None:
    own = tmp_path / "own.tsv"
    own.write_text(content, encoding="utf-8")
    with pytest.raises(CharthouseError, match=problem):
        run_export(Omop(tmp_path / "ids", concept_map=own))
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "ids").exists()


def test_a_folder_without_concepts_is_told(run_export: Export, tmp_path: Path) -> None:
    with pytest.raises(CharthouseError, match=r"holds no CONCEPT\.csv"):
        run_export(Omop(tmp_path / "ids", vocabulary=tmp_path))


IDS_OF = 'SELECT note_id, note_nlp_id, "offset" FROM note_nlp ORDER BY ALL'


@pytest.mark.parametrize("mode", [IdMode.native, IdMode.assigned])
def test_ids_stay_and_new_documents_get_new_ones(
    run_export: Export, tmp_path: Path, mode: IdMode
) -> None:
    asked = Omop(tmp_path / "ids", mode)
    run_export(asked, where="native_id != '11'", out=tmp_path / "part")
    part = rows(tmp_path / "part", IDS_OF)
    run_export(asked)
    whole = rows(tmp_path / "out", IDS_OF)
    assert set(part) < set(whole)
    assert len({row[1] for row in whole}) == len(whole) == 11
    run_export(asked, overwrite=True)
    assert rows(tmp_path / "out", IDS_OF) == whole


def rename(bench: Bench, native_id: str) -> None:
    """Make another document of note 12, of another name."""
    with open_warehouse(bench.warehouse) as connection:
        connection.execute(
            "UPDATE documents SET native_id = $id, document_id = 'notes:new ' || $id "
            "WHERE document_id = 'notes:12'",
            {"id": native_id},
        )
        for table in ("mentions", "document_annotations"):
            connection.execute(
                f"UPDATE {table} SET document_id = 'notes:new ' || ? "
                "WHERE document_id = 'notes:12'",
                [native_id],
            )


NOTE_IDS = "SELECT note_source_value, note_id FROM note ORDER BY ALL"


@pytest.mark.parametrize("native_id", ["A7", "11", "2147483648"])
def test_what_does_not_fit_among_native_ids_is_counted(
    filled: Bench, run_export: Export, tmp_path: Path, native_id: str
) -> None:
    ids = tmp_path / "ids"
    assert run_export(Omop(ids)).counts["ids counted beside native ones"] == 0
    before = dict(rows(tmp_path / "out", NOTE_IDS))
    rename(filled, native_id)
    outcome = run_export(Omop(ids), overwrite=True)
    assert outcome.counts["ids counted beside native ones"] == 1
    after = rows(tmp_path / "out", NOTE_IDS)
    kept = {name: number for name, number in before.items() if name != "12"}
    assert {(name, int(name)) for name in kept} | {(native_id, 78)} == set(after)
    run_export(Omop(ids), overwrite=True)
    assert rows(tmp_path / "out", NOTE_IDS) == after
    with pytest.raises(CharthouseError, match="Leave --id-mode out"):
        run_export(Omop(tmp_path / "other", IdMode.native), overwrite=True)


def test_a_warehouse_of_other_names_has_assigned_ids(
    filled: Bench, run_export: Export, tmp_path: Path
) -> None:
    rename(filled, "A7")
    run_export(Omop(tmp_path / "ids"))
    assert rows(tmp_path / "out", "SELECT note_id FROM note ORDER BY 1") == [(1,), (2,), (3,), (4,)]
    with pytest.raises(CharthouseError, match="has assigned ids of notes"):
        run_export(Omop(tmp_path / "ids", IdMode.native), overwrite=True)


def test_counted_ids_begin_where_they_shall(run_export: Export, tmp_path: Path) -> None:
    run_export(Omop(tmp_path / "ids", IdMode.assigned, first_id=5_000))
    found = rows(tmp_path / "out", "SELECT min(note_id), max(note_id) FROM note")
    assert found == [(5_000, 5_003)]
    found = rows(tmp_path / "out", "SELECT min(note_nlp_id), count(*) FROM note_nlp")
    assert found == [(5_000, 11)]
    with pytest.raises(CharthouseError, match="--first-id 0"):
        run_export(Omop(tmp_path / "ids", first_id=0), overwrite=True)


def test_loading_as_documented_keeps_rows_of_other_systems(
    run_export: Export, tmp_path: Path
) -> None:
    run_export(Omop(tmp_path / "ids", first_id=1_000))
    guide = (Path(__file__).parents[3] / "docs" / "exports.md").read_text("utf-8")
    recipe = guide.partition('duckdb cdm.duckdb "')[2].partition('"')[0]
    recipe = recipe.replace("omop/omop.duckdb", str(tmp_path / "out" / "omop.duckdb"))
    with duckdb.connect(str(tmp_path / "cdm.duckdb")) as cdm:
        cdm.execute(ddl("main", "note_nlp"))
        cdm.execute(
            "INSERT INTO note_nlp BY NAME SELECT 1 AS note_nlp_id, 11 AS note_id, "
            "'x' AS lexical_variant, 'other' AS nlp_system, current_date AS nlp_date"
        )
        for _ in range(2):
            for statement in recipe.split(";"):
                cdm.execute(statement)
            found = cdm.execute(
                "SELECT nlp_system = 'other', count(DISTINCT note_nlp_id), min(note_nlp_id) "
                "FROM note_nlp GROUP BY 1 ORDER BY 1"
            ).fetchall()
            assert found == [(False, 11, 1_000), (True, 1, 1)]
            cdm.execute("DETACH nlp")


def test_two_corpora_may_not_share_a_native_id(
    filled: Bench, run_export: Export, tmp_path: Path
) -> None:
    with open_warehouse(filled.warehouse) as connection:
        connection.execute("UPDATE documents SET native_id = '11' WHERE corpus = 'abstracts'")
    with pytest.raises(CharthouseError, match="another corpus has them too"):
        run_export(Omop(tmp_path / "ids", IdMode.native))
    run_export(Omop(tmp_path / "ids"))
    assert rows(tmp_path / "out", "SELECT count(DISTINCT note_id) FROM note") == [(4,)]


def test_another_file_is_no_file_of_ids(run_export: Export, tmp_path: Path) -> None:
    run_export(Omop(tmp_path / "ids"))
    shutil.copy(tmp_path / "out" / "note.parquet", tmp_path / "wrong")
    for path in (tmp_path / "wrong", CDM):
        with pytest.raises(CharthouseError, match="no file of ids"):
            run_export(Omop(path), overwrite=True)


def test_ids_of_the_forgotten_go_and_are_never_given_again(
    filled: Bench, run_export: Export, tmp_path: Path
) -> None:
    from flows.forget import forget

    ids, last = tmp_path / "ids", "SELECT max(note_nlp_id) FROM note_nlp"
    run_export(Omop(ids, IdMode.assigned))
    before = rows(tmp_path / "out", last)
    forget(filled.warehouse, Subjects(documents=("notes:12",)), filled.access)
    run_export(Omop(ids, IdMode.assigned), overwrite=True)
    kept = rows(
        tmp_path / "out", f"SELECT key FROM read_parquet('{ids}') WHERE kind = 'note' ORDER BY 1"
    )
    assert kept == [("abstracts:77",), ("notes:11",), ("notes:13",)]
    assert before == [(11,)]
    assert rows(
        tmp_path / "out",
        f"SELECT first FROM read_parquet('{ids}') WHERE kind = 'last' AND key = 'mentions'",
    ) == [(11,)]


def test_ids_of_a_forgotten_person_go_with_visits(
    filled: Bench, run_export: Export, tmp_path: Path
) -> None:
    from flows.forget import forget

    ids = tmp_path / "ids"
    run_export(Omop(ids))
    subjects = f"SELECT kind, key FROM read_parquet('{ids}') WHERE kind IN ('person', 'visit')"
    assert set(rows(tmp_path / "out", subjects)) == {
        ("person", "5"),
        ("person", "6"),
        ("visit", "4"),
    }
    forget(filled.warehouse, Subjects(persons=("5",)), filled.access)
    run_export(Omop(ids), overwrite=True)
    assert rows(tmp_path / "out", subjects) == [("person", "6")]


def test_two_exports_do_not_give_the_same_ids(
    scratch: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "ids"
    with contextlib.suppress(CharthouseError):  # the warehouse is empty
        select_documents(scratch, Selection(), annotated=True)
    first, second = (assign_ids(scratch, path, IdMode.auto) for _ in range(2))
    write_ids(scratch, path, first)
    with pytest.raises(CharthouseError, match="another export has written ids"):
        write_ids(scratch, path, second)


@pytest.fixture(scope="module")
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty warehouse as an export sees it, in memory."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("ATTACH ':memory:' AS warehouse")
        connection.execute("USE warehouse")
        prepare(connection)
        yield connection


DOCUMENTS = st.dictionaries(
    st.text("0123456789aé|", min_size=1, max_size=3), st.integers(0, 4), min_size=1, max_size=8
)


@settings(max_examples=12)
@given(
    waves=st.lists(DOCUMENTS, min_size=1, max_size=4), mode=st.sampled_from(["auto", "assigned"])
)
def test_ids_never_change_and_never_meet(
    scratch: duckdb.DuckDBPyConnection,
    tmp_path_factory: pytest.TempPathFactory,
    waves: list[dict[str, int]],
    mode: str,
) -> None:
    """Whatever is exported in whatever order: a mention's id stays, and belongs to it alone."""
    path = tmp_path_factory.mktemp("ids") / "ids"
    given_before: dict[tuple[str, int], tuple[int, int]] = {}
    for wave in waves:
        for table in ("documents", "mentions", "document_annotations"):
            scratch.execute(f"DELETE FROM {table}")
        for key, mentions in wave.items():
            scratch.execute(
                "INSERT INTO documents BY NAME SELECT 'c:' || $key AS document_id, 'c' AS corpus, "
                "$key AS native_id, 'note' AS kind, 'x' AS text, 'h' AS source_hash, "
                "'m' AS metadata_hash, 0 AS source_order, '{}' AS metadata, false AS is_deleted",
                {"key": key},
            )
            scratch.execute(
                "INSERT INTO document_annotations "
                "VALUES ('c:' || ?, ?, 'h', 'r', 's', 'done', true)",
                [key, f"set-{mentions}"],
            )
            scratch.execute(
                "INSERT INTO mentions BY NAME SELECT 'c:' || ? AS document_id, ? AS annotation_id, "
                "range::INTEGER AS mention_id, 0 AS start_char, 1 AS end_char, 'D' AS label, "
                "1.0 AS score, 'm' AS model, 'x' AS lookup_text FROM range(?)",
                [key, f"set-{mentions}", mentions],
            )
        select_documents(scratch, Selection(), annotated=True)
        write_ids(scratch, path, assign_ids(scratch, path, IdMode(mode)))
        for key, set_id, mention_id, note, number in scratch.execute(
            f"SELECT m.document_id, m.annotation_id, m.mention_id, n.first, i.first + m.mention_id "
            f"FROM mentions m JOIN {IDS} n ON n.kind = 'note' AND n.key = m.document_id "
            f"JOIN {IDS} i ON i.kind = 'mentions' AND i.key = m.document_id "
            "AND i.version = m.annotation_id || ' h'"
        ).fetchall():
            known = given_before.setdefault((f"{key} {set_id}", mention_id), (note, number))
            assert known == (note, number)
    numbers = [number for _, number in given_before.values()]
    assert len(set(numbers)) == len(numbers)
    notes = {key.rpartition(" ")[0]: note for (key, _), (note, _) in given_before.items()}
    assert len(set(notes.values())) == len(notes)
