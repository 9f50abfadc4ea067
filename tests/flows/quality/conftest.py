"""A warehouse of counted rows: runs that found what a test says, without annotating anything."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl
import pytest

from flows.quality.measure import measure
from flows.quality.settings import QualitySettings
from flows.warehouse.connection import Connection, prepare

LINKED, UNSURE, UNKNOWN = "linked", "below_threshold", "no_candidate"
SCORES = {LINKED: 1.0, UNSURE: 0.4, UNKNOWN: None}
BRANCHES = {"Disease": "C08", "Chemical": "D02"}


@dataclass
class Ward:
    """An open warehouse linked to one ontology of two concepts."""

    connection: Connection
    documents: int = 0
    runs: list[str] = field(default_factory=list)

    def begin(self, run_id: str, status: str = "done") -> str:
        """A run that has ended."""
        self.connection.execute(
            "INSERT INTO runs (run_id, order_hash, annotation_id, status, read, new, started_at) "
            "VALUES (?, 'h', 'a', ?, 1, 1, TIMESTAMP '2026-01-01')",
            [run_id, status],
        )
        self.runs.append(run_id)
        return run_id

    def add(
        self,
        run_id: str,
        corpus: str,
        mentions: Sequence[tuple[str, float, str]],
        *,
        documents: int = 1,
        characters: int = 1_000,
    ) -> None:
        """Documents of equal length that share out mentions: label, score, status of the name."""
        first, self.documents = self.documents, self.documents + documents
        ids = [f"{corpus}:{number}" for number in range(first, self.documents)]
        frame = pl.DataFrame({"id": ids, "n": list(range(first, self.documents))})
        self.connection.register("frame", frame)
        self.connection.execute(
            "INSERT INTO documents (document_id, corpus, native_id, kind, text, source_hash, "
            "metadata_hash, source_order, metadata, is_deleted) SELECT id, ?, n::VARCHAR, 'note', "
            "repeat('x', ?), 's', 'm', n, '{}', false FROM frame",
            [corpus, characters],
        )
        self.connection.execute(
            "INSERT INTO document_annotations SELECT id, 'a', 's', ?, ?, 'done', true FROM frame",
            [run_id, f"{run_id}:00000"],
        )
        rows = [
            (ids[number % documents], number, label, score, f"{status} {label}")
            for number, (label, score, status) in enumerate(mentions)
        ]
        schema = {"d": pl.String, "n": pl.Int32, "l": pl.String, "s": pl.Float64, "t": pl.String}
        self.connection.register("frame", pl.DataFrame(rows, schema=schema, orient="row"))
        self.connection.execute(
            "INSERT INTO mentions BY NAME SELECT d AS document_id, 'a' AS annotation_id, "
            "n AS mention_id, 0 AS start_char, 1 AS end_char, 'x' AS mention_text, l AS label, "
            "s AS score, 'm' AS model, t AS lookup_text FROM frame"
        )
        self.connection.unregister("frame")

    def reject(self, run_id: str, corpus: str, count: int) -> None:
        """Records of a file of the corpus that could not be read."""
        path = f"/{corpus}.jsonl"
        self.connection.execute(
            "INSERT INTO sources BY NAME SELECT ? AS path, 0 AS source_number, 1 AS size, "
            "1 AS mtime, 'x' AS sha256, ? AS reader, 'a' AS annotation_id, 'done' AS status, "
            "? AS documents, ? AS run_id ON CONFLICT DO NOTHING",
            [path, f"jsonl v1 corpus={corpus} columns={{}}", count, run_id],
        )
        self.connection.execute(
            "INSERT INTO rejects SELECT ?, (SELECT count(*) FROM rejects) + range, 'a', 'read', "
            "'text is empty', NULL, ? FROM range(?)",
            [path, run_id, count],
        )

    def measure(self, run_id: str, **settings: object) -> None:
        """What ends a run."""
        measure(self.connection, run_id, QualitySettings.model_validate(settings))

    def rows(self, query: str, *parameters: object) -> list[tuple[object, ...]]:
        """Rows of a query."""
        return self.connection.execute(query, list(parameters)).fetchall()


def linked_names(connection: Connection) -> None:
    """A linkset with a name of each status for each label, and the concepts of the linked ones."""
    connection.execute(
        "INSERT INTO linksets VALUES ('ls', 'mesh', 1, true, '{}', TIMESTAMP '2026-01-01')"
    )
    for label, branch in BRANCHES.items():
        connection.execute(
            "INSERT INTO concepts (release_id, concept_id, concept_name, semantic_types, "
            "tree_numbers) VALUES ('mesh', ?, 'x', [?], [])",
            [f"X:{branch}", branch],
        )
        for status, score in SCORES.items():
            connection.execute(
                "INSERT INTO name_links BY NAME SELECT ? AS lookup_text, ? AS label, "
                "'ls' AS linkset_id, 1 AS rank, ? AS status, ? AS concept_id, ?::DOUBLE AS score",
                [
                    f"{status} {label}",
                    label,
                    status,
                    None if score is None else f"X:{branch}",
                    score,
                ],
            )


@pytest.fixture(scope="session")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse without documents, to be copied: making one takes longer than a test."""
    path = tmp_path_factory.mktemp("linked") / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        prepare(connection)
        linked_names(connection)
    return path


@pytest.fixture
def ward(linked: Path, tmp_path: Path) -> Iterator[Ward]:
    path = shutil.copyfile(linked, tmp_path / "w.duckdb")
    with duckdb.connect(str(path)) as connection:
        yield Ward(connection)
