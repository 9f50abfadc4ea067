"""After whatever changes a warehouse, its derived tables say what it holds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from flows.derived_settings import DerivedSettings
from flows.errors import CharthouseError
from flows.forget import forget
from flows.refresh import look, refresh_warehouse
from flows.settings import Settings
from flows.warehouse.access import Access
from flows.warehouse.check import check_warehouse
from flows.warehouse.connection import open_warehouse, read_warehouse
from flows.warehouse.derived.refresh import refresh, refresh_if_changed
from flows.warehouse.derived.schema import DERIVATIONS, DERIVED_TABLES
from flows.warehouse.erasing import Subjects
from flows.warehouse.snapshots import publish, publish_if_changed
from tests.flows.conftest import Bench, write_jsonl

DERIVED = DerivedSettings()
ACCESS = Access(say=lambda line: None)

_LINKS = """
INSERT INTO linksets SELECT 'l', 'r', 1, true, '{}', now()::TIMESTAMP
  WHERE NOT EXISTS (FROM linksets);
INSERT INTO name_links BY NAME SELECT DISTINCT lookup_text, label, 'l' AS linkset_id, 1 AS rank,
  'linked' AS status, 'X:' || lower(lookup_text) AS concept_id, 1.0 AS score FROM mentions m
  WHERE NOT EXISTS (FROM name_links n WHERE n.lookup_text = m.lookup_text AND n.label = m.label);
"""


def source(folder: Path, *rows: str) -> Path:
    """Notes of ``id:person:date:text``."""
    records = []
    for row in rows:
        native_id, person, day, text = row.split(":")
        records.append({"id": native_id, "person_id": person, "date": day, "text": text})
    return write_jsonl(folder / "notes.jsonl", *records)


def run(bench: Bench, file: Path, **settings: object) -> bool:
    """A run with links by rule, and its stage that derives; returns whether it made anything."""
    bench.run(file, **settings)
    with open_warehouse(bench.warehouse, bench.access) as connection:
        connection.execute(_LINKS)
        return refresh_if_changed(connection, DERIVED)


def totals(bench: Bench) -> dict[object, object]:
    """Documents by concept."""
    return dict(
        bench.query("SELECT concept_id, sum(documents)::INT FROM concept_counts GROUP BY 1")
    )


def derived_breaches(warehouse: Path) -> set[str]:
    with read_warehouse(warehouse) as connection:
        found = check_warehouse(connection)
    return {f.name for f in found if f.breaches and ("counted" in f.name or "derived" in f.name)}


NOTED = ("1:p:2020-01-02:Asthma", "2:p:2021-01-02:Asthma", "3:q:2021-01-02:Fever")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("noted")
    bench = Bench(folder / "w.duckdb")
    assert run(bench, source(folder, *NOTED))
    assert totals(bench) == {"X:asthma": 2, "X:fever": 1}
    return bench


@pytest.fixture
def noted(made: Bench, bench: Bench, tmp_path: Path) -> Bench:
    """A warehouse of three notes in ``notes.jsonl``, with links and derived tables."""
    shutil.copyfile(made.warehouse, bench.warehouse)
    file = source(tmp_path, *NOTED)
    with open_warehouse(bench.warehouse) as connection:
        connection.execute("UPDATE sources SET path = ?", [str(file)])
    return bench


def test_a_run_that_finds_nothing_to_do_derives_nothing(noted: Bench, tmp_path: Path) -> None:
    before = noted.query("FROM derivations")
    assert not run(noted, tmp_path / "notes.jsonl")
    assert noted.query("FROM derivations") == before
    with open_warehouse(noted.warehouse) as connection:  # other settings count otherwise
        assert refresh_if_changed(connection, DerivedSettings(pair_documents=1))


def test_metadata_alone_changes_what_is_derived(noted: Bench, tmp_path: Path) -> None:
    file = source(
        tmp_path, "1:q:2019-01-02:Asthma", "2:p:2021-01-02:Asthma", "3:q:2021-01-02:Fever"
    )
    assert noted.run(file).metadata_updated == 1
    with open_warehouse(noted.warehouse) as connection:
        assert refresh_if_changed(connection, DERIVED)
    assert noted.query(
        "SELECT person_id, year(first_date) FROM person_concepts WHERE concept_id = 'X:asthma' "
        "ORDER BY 1"
    ) == [("p", 2021), ("q", 2019)]
    assert derived_breaches(noted.warehouse) == set()


def test_pruned_and_replaced_documents_are_counted_no_more(noted: Bench, tmp_path: Path) -> None:
    file = source(tmp_path, "1:p:2020-01-02:Fever", "3:q:2021-01-02:Fever")
    assert run(noted, file, prune=True, prune_limit=1.0)
    assert totals(noted) == {"X:fever": 2}
    assert noted.query("SELECT sum(documents), sum(mentions) FROM document_totals") == [(2, 2)]
    assert derived_breaches(noted.warehouse) == set()


def test_a_document_that_comes_back_the_same_is_derived_anew(noted: Bench, tmp_path: Path) -> None:
    """The ledger row says what it said before, but a later run wrote it."""
    whole = (tmp_path / "notes.jsonl").read_text()
    noted.run(source(tmp_path, "1:p:2020-01-02:Asthma"), prune=True, prune_limit=1.0)
    (tmp_path / "notes.jsonl").write_text(whole)
    assert run(noted, tmp_path / "notes.jsonl")
    assert totals(noted) == {"X:asthma": 2, "X:fever": 1}


def test_another_linkset_moves_every_view(noted: Bench) -> None:
    with open_warehouse(noted.warehouse) as connection:
        connection.execute(
            "INSERT INTO linksets VALUES ('m', 'r', 1, true, '{}', now()::TIMESTAMP);"
            "UPDATE linksets SET is_current = false WHERE linkset_id = 'l';"
            "INSERT INTO name_links SELECT * REPLACE ('m' AS linkset_id, 'Y:1' AS concept_id) "
            "FROM name_links"
        )
    assert "derived_current" in derived_breaches(noted.warehouse), "a relink was killed here"
    with open_warehouse(noted.warehouse) as connection:
        assert refresh_if_changed(connection, DERIVED)
    assert totals(noted) == {"Y:1": 3}
    assert derived_breaches(noted.warehouse) == set()


def test_what_is_forgotten_is_in_no_derived_table(noted: Bench) -> None:
    forget(noted.warehouse, Subjects(persons=("p",)), ACCESS)
    assert totals(noted) == {"X:fever": 1}
    assert noted.query("SELECT lookup_text FROM name_totals") == [("Fever",)]
    assert derived_breaches(noted.warehouse) == set()
    assert b"Asthma" not in noted.warehouse.read_bytes()


def test_forgetting_derives_nothing_where_nothing_was_derived(bench: Bench, tmp_path: Path) -> None:
    bench.run(source(tmp_path, "1:p:2020-01-02:Asthma"))
    forget(bench.warehouse, Subjects(documents=("notes:1",)), ACCESS)
    assert bench.query("FROM derivations") == []


def test_an_error_half_way_leaves_the_tables_of_before(noted: Bench) -> None:
    calls = iter(range(4))

    def stop() -> None:
        if next(calls) == 3:
            raise KeyboardInterrupt

    with open_warehouse(noted.warehouse) as connection:
        before = connection.execute("FROM document_concepts ORDER BY ALL").fetchall()
        connection.execute("DELETE FROM mention_links")
        with pytest.raises(KeyboardInterrupt):
            refresh(connection, DERIVED, stop)
        assert connection.execute("FROM document_concepts ORDER BY ALL").fetchall() == before
        assert refresh_if_changed(connection, DERIVED) is False
        assert not connection.execute("SELECT 1 FROM duckdb_tables() WHERE temporary").fetchall()


def test_a_snapshot_is_published_anew_after_a_refresh(noted: Bench, tmp_path: Path) -> None:
    copy = tmp_path / "s.duckdb"
    with open_warehouse(noted.warehouse) as connection:
        publish(connection, noted.warehouse, copy, ACCESS)
        assert not publish_if_changed(connection, noted.warehouse, copy, ACCESS)
        refresh(connection, DerivedSettings(pair_documents=1))
        assert publish_if_changed(connection, noted.warehouse, copy, ACCESS)
    with read_warehouse(copy) as connection:
        assert connection.execute("SELECT count(*) FROM concept_counts").fetchall() == [(3,)]


@pytest.fixture
def older(noted: Bench, tmp_path: Path) -> Path:
    """A warehouse as the release before derived tables left it."""
    warehouse = tmp_path / "older.duckdb"
    shutil.copyfile(noted.warehouse, warehouse)
    with open_warehouse(warehouse) as connection:
        for (view,) in connection.execute(
            "SELECT view_name FROM duckdb_views() WHERE NOT internal AND view_name NOT IN "
            "('entities', 'entities_all', 'relation_entities', 'generations_current')"
        ).fetchall():
            connection.execute(f"DROP VIEW {view}")
        for table in (*DERIVED_TABLES, DERIVATIONS):
            connection.execute(f"DROP TABLE {table.name}")
        connection.execute(
            "UPDATE schema_version SET version = 5;"
            "CREATE OR REPLACE TABLE runs AS SELECT * REPLACE ({plan: seconds.plan, annotate: "
            "seconds.annotate, link: seconds.link, total: seconds.total} AS seconds) FROM runs;"
            "ALTER TABLE evaluations DROP COLUMN run_id"
        )
    return warehouse


Invoke = Callable[..., object]


def test_an_older_warehouse_says_what_to_do_and_is_brought_here(older: Path) -> None:
    ask = ["sql", "-w", str(older), "SELECT count(*) FROM concept_counts", "-f", "csv"]
    refused = CliRunner().invoke(app, ask)
    assert isinstance(refused.exception, CharthouseError)
    assert "charthouse refresh" in str(refused.exception)

    dry = CliRunner().invoke(app, ["refresh", "-w", str(older), "--dry-run", "--json"])
    assert json.loads(dry.stdout) == {
        "schema_version": 5, "made_before": False, "is_current": False
    }  # fmt: skip
    done = CliRunner().invoke(app, ["refresh", "-w", str(older), "--json"])
    assert done.exit_code == 0, done.exception
    outcome = json.loads(done.stdout)
    assert (outcome["before"]["schema_version"], outcome["documents"], outcome["mentions"]) == (
        5, 3, 3
    )  # fmt: skip
    assert outcome["rows"]["document_concepts"] == 3
    answered = CliRunner().invoke(app, ask)
    assert answered.stdout.split() == ["count_star()", "3"]
    assert answered.stderr == ""
    told = CliRunner().invoke(app, ["refresh", "-w", str(older)])
    assert "3 documents and 3 mentions" in told.stdout
    assert "concept_totals" in told.stdout


def test_a_warehouse_that_never_derived_tells_who_asks(bench: Bench, tmp_path: Path) -> None:
    bench.run(source(tmp_path, "1:p:2020-01-02:Asthma"))
    warehouse = str(bench.warehouse)
    asked = CliRunner().invoke(app, ["sql", "-w", warehouse, "FROM person_conditions"])
    assert asked.exit_code == 0
    assert "charthouse refresh" in asked.stderr
    silent = CliRunner().invoke(app, ["sql", "-w", warehouse, "SELECT 1 FROM entities"])
    assert silent.stderr == ""


def test_tables_of_another_declaration_are_made_anew(noted: Bench) -> None:
    with open_warehouse(noted.warehouse) as connection:
        connection.execute(
            "ALTER TABLE derivations DROP COLUMN made_of;"
            "ALTER TABLE concept_totals ADD COLUMN more VARCHAR"
        )
    assert not look(noted.warehouse, Settings()).made_before
    refresh_warehouse(noted.warehouse, Settings(), quiet=True)
    state = look(noted.warehouse, Settings())
    assert (state.made_before, state.is_current) == (True, True)
    assert totals(noted) == {"X:asthma": 2, "X:fever": 1}


_FORMER = (
    "concept_totals DROP COLUMN historical",
    "person_totals DROP COLUMN last_current",
    "name_totals DROP COLUMN linked_by_context",
)


@pytest.fixture
def former(noted: Bench) -> Bench:
    """The warehouse of three notes as a release left it that counted less, views included."""
    with open_warehouse(noted.warehouse) as connection:
        for view in ("concept_counts", "person_concepts", "person_conditions", "unlinked_names",
                     "ambiguous_names"):  # fmt: skip
            connection.execute(f"DROP VIEW {view}")
        for change in _FORMER:
            connection.execute(f"ALTER TABLE {change}")
        connection.execute(
            "CREATE VIEW concept_counts AS SELECT * EXCLUDE (linkset_id) FROM concept_totals;"
            "CREATE VIEW person_concepts AS FROM person_totals;"
            "CREATE VIEW person_conditions AS FROM person_totals;"
            "CREATE VIEW unlinked_names AS FROM name_totals;"
            "CREATE VIEW ambiguous_names AS FROM name_totals"
        )
    return noted


_COUNTED_NOW = (
    "SELECT (SELECT sum(historical) FROM concept_counts), (SELECT count(last_current) FROM "
    "person_concepts), (SELECT count(linked_by_context) FROM ambiguous_names)"
)


def test_tables_that_counted_less_count_more_after_the_next_run(
    former: Bench, tmp_path: Path
) -> None:
    """A run that finds nothing new is enough; until its end the tables are as they were."""
    with open_warehouse(former.warehouse) as connection:
        assert connection.execute("SELECT count(*) FROM concept_counts").fetchall() == [(3,)]
    assert run(former, tmp_path / "notes.jsonl")
    assert former.query(_COUNTED_NOW) == [(0, 0, 0)]
    assert former.query("SELECT sum(documents) FROM concept_counts") == [(3,)]
    assert not run(former, tmp_path / "notes.jsonl")
    assert derived_breaches(former.warehouse) == set()


def test_views_that_cannot_be_made_yet_are_left_as_they_are(former: Bench) -> None:
    with open_warehouse(former.warehouse) as connection:
        connection.execute("DROP VIEW quality_latest")  # as if it were new in this release
    with open_warehouse(former.warehouse) as connection:
        assert connection.execute("SELECT count(*) FROM quality_latest").fetchall() == [(0,)]
        assert connection.execute("SELECT count(*) FROM concept_counts").fetchall() == [(3,)]
        with pytest.raises(duckdb.BinderException):
            connection.execute(_COUNTED_NOW)


def test_who_asks_tables_that_counted_less_is_told_what_to_do(former: Bench) -> None:
    ask = ["sql", "-w", str(former.warehouse), _COUNTED_NOW, "-f", "csv"]
    refused = CliRunner().invoke(app, ask)
    assert isinstance(refused.exception, CharthouseError)
    assert "charthouse refresh" in str(refused.exception)
    warned = CliRunner().invoke(app, [*ask[:3], "SELECT 1 FROM concept_counts"])
    assert warned.exit_code == 0 and "another release" in warned.stderr

    checked = CliRunner().invoke(app, ["check", "-w", str(former.warehouse), "-f", "json"])
    told = {row["check"]: row["breaches"] for row in json.loads(checked.stdout)}
    assert told["concept_totals_counted"] is None and told["derived_current"] == 0
    refresh_warehouse(former.warehouse, Settings(), quiet=True)
    assert CliRunner().invoke(app, ask).exit_code == 0


def test_a_warehouse_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(CharthouseError, match="does not exist"):
        refresh_warehouse(tmp_path / "w.duckdb", Settings(), quiet=True)
    assert list(tmp_path.iterdir()) == []


def test_an_encrypted_warehouse_is_derived_like_any_other(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "w.duckdb", access=Access(key="k" * 32, unsafe_crypto=True))
    assert run(bench, source(tmp_path, "1:p:2020-01-02:Asthma", "2:q:2020-01-02:Asthma"))
    assert totals(bench) == {"X:asthma": 2}
    with open_warehouse(bench.warehouse, bench.access) as connection:
        assert not [
            f.name for f in check_warehouse(connection) if f.breaches and "derived" in f.name
        ]
    assert b"X:asthma" not in bench.warehouse.read_bytes()
