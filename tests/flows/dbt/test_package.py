"""The dbt package, run by dbt: it builds and passes on a sound warehouse, and only there."""

from __future__ import annotations

import re
from typing import Any

import duckdb
import pytest

from flows.derived_settings import DerivedSettings
from flows.warehouse.connection import open_warehouse
from flows.warehouse.derived.refresh import refresh
from tests.flows.dbt.conftest import NOTES, PACKAGE, Built, Project, link, short
from tests.flows.dbt.planted import PLANTED, ROT, ROT_OF_MARTS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

MENTIONS = """
SELECT document_id, mention_id, start_char, end_char, label, score, section, negated, uncertain,
  historical, hypothetical, experiencer, {linkset}, concept_id, link_score, link_method,
  annotation_id, run_id
"""
OF_MARTS = MENTIONS.format(linkset="linkset_id") + "FROM fct_mention"
OF_ENTITIES = MENTIONS.format(linkset="linkset_id") + "FROM warehouse.main.entities"


def differing(project: Project, one: str, other: str) -> list[tuple[Any, ...]]:
    return project.query(f"({one} EXCEPT ALL {other}) UNION ALL ({other} EXCEPT ALL {one}) LIMIT 5")


def test_a_sound_warehouse_builds_and_passes(built: Built) -> None:
    assert built.returncode == 0, built.output[-3000:]
    assert set(built.statuses.values()) == {"success", "pass", "no-op"}
    kinds = [unique_id.split(".")[0] for unique_id in built.statuses]
    assert kinds.count("model") == 24 and kinds.count("unit_test") == 4
    assert {"no_lost_documents", "link_share_not_fallen"} <= set(map(short, built.statuses))


def test_the_warehouse_is_not_written(built: Built) -> None:
    assert built.after == built.before


def test_marts_say_what_the_warehouse_says(project: Project) -> None:
    assert project.query("SELECT count(*) FROM fct_mention") == [(NOTES + 1,)]
    assert not differing(project, OF_MARTS, OF_ENTITIES)
    counts = (
        "concept_id, corpus, kind, year, sum(documents), sum(mentions), sum(affirmed), "
        "sum(historical), sum(negated)"
    )
    assert not differing(
        project,
        f"SELECT {counts} FROM agg_concept_year WHERE is_first_ontology GROUP BY ALL",
        f"SELECT {counts} FROM warehouse.main.concept_counts GROUP BY ALL",
    )
    person = (
        "person_id, concept_id, first_date, last_date, first_affirmed, last_affirmed, "
        "last_current, documents, mentions, affirmed, historical, negated"
    )
    conditions = f"SELECT {person} FROM fct_person_condition WHERE is_first_ontology"
    assert project.query(
        f"SELECT count(*) > 30, count(*) FILTER (historical > 0) > 0, "
        f"count(*) FILTER (historical < affirmed) > 0 FROM ({conditions})"
    ) == [(True, True, True)]
    assert not differing(
        project, conditions, f"SELECT {person} FROM warehouse.main.person_conditions"
    )
    assert project.query("SELECT sum(documents), sum(conditions) FROM dim_person") == project.query(
        f"SELECT {NOTES}, count(*) FROM ({conditions})"
    )


def test_the_page_names_tests_that_there_are_and_its_query_answers(
    built: Built, project: Project
) -> None:
    page = (PACKAGE.parent / "dbt.md").read_text("utf-8")
    named = set(
        re.findall(r"`([a-z]\w+_(?:in_\w+|are_\w+|is_\w+|to_\w+|of_\w+|ranked|fallen))`", page)
    )
    named |= {"no_lost_documents", "mentions_looked_up"}
    assert len(named) > 12
    assert named <= set(built.compiled)
    (sql,) = re.findall(r'```sql title="marts"\n(.*?)```', page, re.DOTALL)
    assert [name for name, *_ in project.query(sql)] == ["asthma", "gout", "febris"]


def test_what_is_withdrawn_or_not_current_is_not_shown(project: Project) -> None:
    ids = "SELECT count(*) FILTER (document_id = 'pubmed:1'), count(*) FROM dim_document"
    assert project.query(ids) == [(0, NOTES + 2)]
    assert project.query("SELECT DISTINCT annotation_id FROM fct_mention") == [("rule-1",)]
    assert project.query(
        "SELECT ontology, count(DISTINCT concept_id) FROM fct_document_concept "
        "JOIN dim_concept USING (release_id, concept_id) GROUP BY ALL ORDER BY ALL"
    ) == [("ontology 1", 3), ("ontology 2", 2)]
    assert project.query(
        "SELECT document_id FROM dim_document WHERE status = 'rejected' OR characters IS NULL "
        "ORDER BY ALL"
    ) == [("notes:4",), ("notes:bad",)]


def test_marts_hold_no_text(built: Built) -> None:
    with duckdb.connect(str(built.project.marts), read_only=True) as connection:
        columns = connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() "
            "SEMI JOIN duckdb_tables() USING (table_name)"
        ).fetchall()
        tables = {table for table, _ in columns}
        texts = "".join(
            str(connection.execute(f"SELECT * FROM {table}").fetchall()) for table in tables
        )
    assert tables >= {"fct_mention", "dim_document", "dim_person", "fct_quality"}
    assert not {name for _, name in columns} & {"text", "title", "mention_text", "lookup_text"}
    assert "seen on day" not in texts and "'qi'" not in texts


def test_every_data_test_finds_what_it_is_for(project: Project) -> None:
    with duckdb.connect(str(project.warehouse)) as connection:
        _double(connection)
        for statement in ROT:
            connection.execute(statement)
    with duckdb.connect(str(project.marts)) as connection:
        _double(connection, with_nulls=True)
        for statement in ROT_OF_MARTS:
            connection.execute(statement)
    done = project.call("test", "--select", "test_type:data")
    statuses = project.statuses()
    assert done.returncode == 1, done.stdout[-3000:]
    assert len(statuses) > 100
    assert {short(test) for test, status in statuses.items() if status != "fail"} == set()


def _double(connection: duckdb.DuckDBPyConnection, *, with_nulls: bool = False) -> None:
    """Have every row of every table twice, and one row at least."""
    names = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()"
    ).fetchall()
    for (name,) in names:
        connection.execute(f"CREATE TABLE doubled AS FROM {name} UNION ALL FROM {name}")
        empty = connection.execute("SELECT count(*) = 0 FROM doubled").fetchall() == [(True,)]
        if empty or with_nulls:
            column, *_ = connection.execute("DESCRIBE doubled").fetchall()[0]
            for _ in range(2):
                connection.execute(f'INSERT INTO doubled ("{column}") VALUES (NULL)')
        connection.execute(f"DROP TABLE {name}")
        connection.execute(f"ALTER TABLE doubled RENAME TO {name}")


def test_each_fault_is_found_by_the_test_for_it(built: Built, project: Project) -> None:
    with _both(project) as connection:
        missed = [
            (test, statement)
            for test, statement in PLANTED
            if _fails(connection, built.compiled[test])
            or not _fails(connection, built.compiled[test], statement)
        ]
    assert not missed


def test_few_mentions_and_small_falls_say_nothing(built: Built, project: Project) -> None:
    with _both(project) as connection:
        for change in ("fall = 0.04", "fall = 0.5, mentions_before = 99", "fall = NULL"):
            statement = f"UPDATE marts.fct_link_share SET {change}"
            assert not _fails(connection, built.compiled["link_share_not_fallen"], statement)


def _both(project: Project) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"ATTACH '{project.marts}' AS marts")
    connection.execute(f"ATTACH '{project.warehouse}' AS warehouse")
    connection.execute("USE warehouse")
    return connection


def _fails(connection: duckdb.DuckDBPyConnection, test: str, *statements: str) -> bool:
    """Whether a test's query has rows after the statements, which are undone."""
    connection.begin()
    for statement in statements:
        connection.execute(statement)
    rows = connection.execute(test).fetchall()
    connection.rollback()
    return bool(rows)


def test_a_fallen_link_share_fails_the_build(project: Project) -> None:
    project.change("UPDATE quality SET linked = 130, link_share = 130 / 140")
    done = project.call("build", "--select", "fct_link_share")
    assert done.returncode == 1
    failed = [short(test) for test, status in project.statuses().items() if status == "fail"]
    assert failed == ["link_share_not_fallen"]
    ((corpus, basis, fall),) = project.query(
        "SELECT corpus, basis, round(fall, 2) FROM fct_link_share WHERE corpus = 'notes'"
    )
    assert (corpus, basis) == ("notes", "quality")
    assert fall == pytest.approx(0.25, abs=0.03)
    # Facts of persons and their words are in no line that dbt prints.
    assert not re.search(r"notes:\d|asthma", done.stdout)


def test_mentions_are_added_and_taken_away_by_document(project: Project) -> None:
    project.change(
        # A document annotated anew, one withdrawn, one that has lost its only mention.
        "UPDATE mentions SET end_char = 3, mention_text = 'ast' WHERE document_id = 'notes:0'",
        "UPDATE document_annotations SET run_id = (SELECT max(run_id) FROM runs) "
        "WHERE document_id IN ('notes:0', 'notes:5') AND is_current",
        "DELETE FROM mentions WHERE document_id = 'notes:5'",
        "UPDATE documents SET is_deleted = true, text = '' WHERE document_id = 'notes:6'",
        "DELETE FROM document_annotations WHERE document_id = 'notes:6'",
        "DELETE FROM mentions WHERE document_id = 'notes:6'",
        # Another set of one document becomes current.
        "UPDATE document_annotations SET is_current = NOT is_current "
        "WHERE document_id = 'notes:16'",
    )
    with duckdb.connect(str(project.marts)) as marts:  # what nothing has changed is left alone
        marts.execute("UPDATE fct_mention SET model = 'untouched'")
    done = project.call("run", "--select", "fct_mention")
    assert done.returncode == 0, done.stdout[-3000:]
    assert not differing(project, OF_MARTS, OF_ENTITIES)
    assert project.query("SELECT model, count(*) FROM fct_mention GROUP BY ALL ORDER BY ALL") == [
        ("rule", 2),
        ("untouched", NOTES + 1 - 4),
    ]


def test_a_new_linkset_links_all_mentions_anew(project: Project) -> None:
    with open_warehouse(project.warehouse) as connection:
        connection.execute("UPDATE linksets SET is_current = false WHERE linkset_id = 'l1'")
        link(connection, "l3", "r3", 1, asthma="MESH:D1", gout="MESH:D7", qi="MESH:D8")
        refresh(connection, DerivedSettings())
    done = project.call("build", "--select", "fct_mention", "fct_document_concept", "dim_concept")
    assert done.returncode == 0, done.stdout[-3000:]
    assert not differing(project, OF_MARTS, OF_ENTITIES)
    assert ("l3", "MESH:D8") in project.query(
        "SELECT DISTINCT linkset_id, concept_id FROM fct_mention"
    )
