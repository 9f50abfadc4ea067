"""A small warehouse with all that the dbt package has to stand, and dbt as a user calls it.

dbt takes seconds to start. So everything is built once, and tests work on copies of that, always
under the same paths: dbt then need not read the package anew.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.derived_settings import DerivedSettings
from flows.warehouse.connection import Connection, open_warehouse
from flows.warehouse.derived.refresh import refresh
from tests.conftest import ROOT
from tests.flows.conftest import Bench, write_jsonl
from tests.flows.runs import assert_sound
from tests.flows.test_ledger import citation, release

PACKAGE = ROOT / "docs" / "dbt"
NOTES = 140
WORDS = ("asthma", "gout", "fever", "qi", "asthma", "gout")


@pytest.fixture(scope="session")
def dbt_binary() -> str:
    """dbt of its own environment; skips without."""
    binary = Path(os.environ.get("CHARTHOUSE_DBT", ROOT / ".venv-dbt" / "bin" / "dbt"))
    if not binary.is_file():
        pytest.skip("no dbt: make .venv-dbt/.ready, or set CHARTHOUSE_DBT to its binary")
    return str(binary)


@dataclass(frozen=True)
class Project:
    """A dbt project, the warehouse it reads and the file it writes."""

    binary: str
    folder: Path
    home: Path

    @property
    def warehouse(self) -> Path:
        return self.home / "w.duckdb"

    @property
    def marts(self) -> Path:
        return self.home / "marts.duckdb"

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call dbt and wait for it."""
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("CHARTHOUSE_", "DBT_"))}
        return subprocess.run(
            [self.binary, "--no-use-colors", *arguments],
            env=kept
            | {
                "DO_NOT_TRACK": "1",
                "DBT_PROJECT_DIR": str(self.folder),
                "DBT_PROFILES_DIR": str(self.folder),
                "DBT_TARGET_PATH": str(self.home / "target"),
                "DBT_LOG_PATH": str(self.home / "logs"),
                "CHARTHOUSE_WAREHOUSE": str(self.warehouse),
                "CHARTHOUSE_MARTS": str(self.marts),
            },
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

    def results(self) -> list[dict[str, Any]]:
        """What became of each node in the last call."""
        text = (self.home / "target" / "run_results.json").read_text("utf-8")
        found: list[dict[str, Any]] = json.loads(text)["results"]
        return found

    def statuses(self) -> dict[str, str]:
        """Id of each node to its status in the last call."""
        return {node["unique_id"]: node["status"] for node in self.results()}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query over the marts, with the warehouse beside them."""
        with duckdb.connect(str(self.marts), read_only=True) as connection:
            connection.execute(f"ATTACH '{self.warehouse}' AS warehouse (READ_ONLY)")
            return connection.execute(sql).fetchall()

    def change(self, *statements: str) -> None:
        """Change the warehouse."""
        with duckdb.connect(str(self.warehouse)) as connection:
            for statement in statements:
                connection.execute(statement)


def short(unique_id: str) -> str:
    """A node's name: ``test.charthouse.mentions_in_text.0a1b`` is ``mentions_in_text``."""
    return unique_id.split(".")[2]


def link(connection: Connection, linkset: str, release_id: str, position: int, **to: str) -> None:
    """Link all names there are in a new current linkset; names without a concept are unknown."""
    connection.execute(
        "INSERT INTO ontology_releases VALUES (?, ?, 9, 9, 'nobody', ?) ON CONFLICT DO NOTHING",
        [release_id, f"ontology {position}", release_id],
    )
    connection.execute(
        "INSERT INTO linksets VALUES (?, ?, ?, true, '{}', now()::TIMESTAMP)",
        [linkset, release_id, position],
    )
    for name, concept_id in {**to, "fever": "X:fever", "febris": "X:febris"}.items():
        connection.execute(
            "INSERT INTO concepts BY NAME SELECT ? AS release_id, ? AS concept_id, ? AS "
            "concept_name, ['C01'] AS semantic_types, []::VARCHAR[] AS tree_numbers",
            [release_id, concept_id, name],
        )
        connection.execute(
            "INSERT INTO concept_ancestors BY NAME SELECT ? AS release_id, ? AS concept_id, "
            "'X:fever' AS ancestor_id, 1 AS distance WHERE ? != 'X:fever'",
            [release_id, concept_id, concept_id],
        )
    connection.execute(
        "INSERT INTO name_links BY NAME SELECT DISTINCT lookup_text, label, ? AS linkset_id, "
        "1 AS rank, CASE WHEN lookup_text = 'fever' THEN 'ambiguous' WHEN k IS NULL THEN "
        "'no_candidate' ELSE 'linked' END AS status, CASE WHEN lookup_text = 'fever' THEN "
        "'X:fever' ELSE k END AS concept_id, CASE WHEN k IS NOT NULL OR lookup_text = 'fever' "
        "THEN 1.0 END AS score FROM mentions LEFT JOIN (SELECT unnest(?) AS n, unnest(?) AS k) "
        "ON n = lookup_text",
        [linkset, list(to), list(to.values())],
    )
    connection.execute(
        "INSERT INTO name_links BY NAME SELECT lookup_text, label, linkset_id, 2 AS rank, status, "
        "'X:febris' AS concept_id, 0.5 AS score FROM name_links "
        "WHERE status = 'ambiguous' AND linkset_id = ?",
        [linkset],
    )


def write_notes(folder: Path) -> Path:
    """Notes of 35 persons; the first word of each is what will be found in it."""
    return write_jsonl(
        folder / "notes.jsonl",
        *(
            {
                "note_id": str(number),
                "text": f"{WORDS[number % len(WORDS)]} seen on day {number}. Ünwell 💊.",
                "person_id": f"p{number % 35}",
                "visit_id": f"v{number % 70}",
                "note_date": f"202{number % 4}-03-04",
            }
            for number in range(NOTES)
        ),
        {"note_id": "bad", "text": "unreadable"},
    )


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse: two annotation sets side by side, two ontologies and a former linkset,
    assertions, a document without its text, a reject, a tombstone, three runs in ``quality``.
    """
    folder = tmp_path_factory.mktemp("made")
    bench = Bench(folder / "w.duckdb", "rule-0", keep_previous=True)
    notes = write_notes(folder)
    bench.run(notes)
    bench.annotation_id = "rule-1"
    bench.run(notes)
    bench.run(release(folder, "pubmed24n0001", citation(1, "asthma."), citation(2, "gout.")))
    bench.run(release(folder, "pubmed24n1300", deleted=(1,)))
    with open_warehouse(bench.warehouse) as connection:
        enrich(connection)
        refresh(connection, DerivedSettings())
    assert_sound(bench.warehouse)
    with open_warehouse(bench.warehouse) as connection:
        connection.execute(QUALITY)
    return bench.warehouse


QUALITY = """
INSERT INTO quality BY NAME
SELECT run_id, 'warehouse' AS scope, corpus, '*' AS label, 'l1' AS linkset_id, 140 AS documents,
  5000 AS characters, 140 AS mentions, 93 AS linked, 93 / 140 AS link_share, 23 AS abstained,
  23 AS unknown, 1 AS rejects, finished_at AS measured_at
FROM (FROM runs ORDER BY run_id LIMIT 3), (VALUES ('notes'), ('*')) v(corpus)
"""
"""What earlier runs may have found; near enough to what there is now."""


def enrich(connection: Connection) -> None:
    """Add what the rule does not find."""
    link(connection, "old", "r0", 1, asthma="MESH:D0")
    connection.execute("UPDATE linksets SET is_current = false")
    link(connection, "l1", "r1", 1, asthma="MESH:D1", gout="MESH:D2")
    link(connection, "l2", "r2", 2, asthma="UMLS:C1", gout="UMLS:C2")
    for statement in (
        "INSERT INTO annotation_sets SELECT DISTINCT annotation_id, ['rule'], '{}', "
        "now()::TIMESTAMP FROM document_annotations",
        "UPDATE mentions SET negated = mention_id > 0, uncertain = false, "
        "historical = document_id LIKE '%2', "
        "hypothetical = document_id LIKE '%3', experiencer = 'patient' "
        "WHERE document_id LIKE 'notes:%'",
        "UPDATE mentions SET negated = true WHERE document_id LIKE 'notes:%5'",
        "UPDATE mentions SET experiencer = 'family' WHERE document_id LIKE 'notes:%7'",
        "INSERT INTO mention_links SELECT document_id, annotation_id, mention_id, 'l1', "
        "'X:febris', 0.5, 'context' FROM mentions WHERE lookup_text = 'fever' "
        "AND document_id = 'notes:2'",
        "INSERT INTO sections BY NAME SELECT document_id, annotation_id, 0 AS section_id, "
        "'history' AS name, 0 AS start_char, 12 AS end_char FROM mentions "
        "WHERE document_id IN ('notes:2', 'notes:3')",
        "UPDATE mentions SET section_id = 0 WHERE document_id IN ('notes:2', 'notes:3')",
        "INSERT INTO sentences SELECT document_id, annotation_id, 0, 0, 4 FROM mentions",
        "UPDATE mentions SET sentence_id = 0",
        "INSERT INTO quantities BY NAME SELECT document_id, annotation_id, 0 AS quantity_id, "
        "0 AS start_char, 3 AS end_char, 'age' AS kind, 0 AS mention_id, 3.0 AS value "
        "FROM mentions WHERE document_id = 'notes:9'",
        # As privacy leaves it.
        "UPDATE documents SET text = NULL WHERE document_id = 'notes:4'",
        "UPDATE mentions SET mention_text = NULL WHERE document_id = 'notes:4'",
    ):
        connection.execute(statement)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dbt")


@dataclass(frozen=True)
class Built:
    """The package by itself, built from the warehouse, and what that gave."""

    project: Project
    output: str
    returncode: int
    statuses: dict[str, str]
    compiled: dict[str, str]
    """Name of each test to the query whose rows are its failures."""
    before: bytes
    after: bytes


@pytest.fixture(scope="module")
def built(dbt_binary: str, made: Path, home: Path) -> Built:
    project = Project(dbt_binary, PACKAGE, home)
    shutil.copy(made, project.warehouse)
    before = project.warehouse.read_bytes()
    done = project.call("build")
    after = project.warehouse.read_bytes()
    for file in (project.warehouse, project.marts):
        shutil.copy(file, file.with_suffix(".built"))
    return Built(
        project,
        done.stdout,
        done.returncode,
        project.statuses(),
        {short(node["unique_id"]): node["compiled_code"] for node in project.results()},
        before,
        after,
    )


@pytest.fixture
def project(built: Built) -> Iterator[Project]:
    """The built project, as it was when it was built."""
    for file in (built.project.warehouse, built.project.marts):
        shutil.copy(file.with_suffix(".built"), file)
    yield built.project
