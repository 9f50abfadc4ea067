"""A small warehouse to search: persons' notes, abstracts, linked mentions, a hierarchy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from flows.warehouse.connection import Connection, open_warehouse, read_warehouse
from tests.flows.conftest import Bench, write_jsonl

NOTES = {
    "1": "Known heart attack in 2011. Takes aspirin.",
    "2": "No heart attack. Smokes. Walks daily.",
    "3": "Father had a myocardial infarction.\nWalks a dog.",
    "4": "Broken arm after a fall.",
}
PERSONS = {"1": "A", "2": "A", "3": "B"}

CONCEPTS = {
    "MESH:D017202": ("Myocardial Ischemia", "Ischemia, Myocardial", "Ischemic Heart Disease"),
    "MESH:D009203": ("Myocardial Infarction", "Infarction, Myocardial", "Heart Attacks"),
    "MESH:D001241": ("Aspirin", "Acetylsalicylic Acid"),
    "MESH:D000001": ("CHF", "Congestive Heart Failure"),
}
LINKS = {"heart attack": "MESH:D009203", "myocardial infarction": "MESH:D009203"}


def fill(warehouse: Path) -> None:
    """Annotate and link, as a run would."""
    with open_warehouse(warehouse) as connection:
        connection.execute("DELETE FROM mentions")
        for note, person in PERSONS.items():
            connection.execute(
                "UPDATE documents SET person_id = ? WHERE document_id = ?",
                [person, f"notes:{note}"],
            )
        rows = connection.execute("SELECT document_id, text FROM documents").fetchall()
        for document_id, text in rows:
            _sentences(connection, document_id, text)
            for name in LINKS:
                _mention(connection, document_id, text, name)
        _ontology(connection)


def _sentences(connection: Connection, document_id: str, text: str) -> None:
    start = 0
    for number, sentence in enumerate(text.replace("\n", " ").split(". ")):
        end = min(len(text), start + len(sentence) + 1)
        connection.execute(
            "INSERT INTO sentences VALUES (?, 'rule-1', ?, ?, ?)", [document_id, number, start, end]
        )
        start = end + 1


def _mention(connection: Connection, document_id: str, text: str, name: str) -> None:
    start = text.lower().find(name)
    if start < 0:
        return
    connection.execute(
        "INSERT INTO mentions BY NAME SELECT ? AS document_id, 'rule-1' AS annotation_id, "
        "0 AS mention_id, ? AS start_char, ? AS end_char, ? AS mention_text, 'Disease' AS label, "
        "1.0 AS score, 'rule' AS model, ? AS lookup_text",
        [document_id, start, start + len(name), name, name],
    )


def _ontology(connection: Connection) -> None:
    connection.execute(
        "INSERT INTO linksets (linkset_id, release_id, position, is_current, settings, created_at) "
        "VALUES ('l1', 'r1', 1, true, '{}', now()::TIMESTAMP)"
    )
    names = pl.DataFrame(
        [
            ("r1", concept_id, name, number == 0)
            for concept_id, names in CONCEPTS.items()
            for number, name in enumerate(names)
        ],
        schema=["release_id", "concept_id", "name", "is_preferred"],
        orient="row",
    )
    connection.register("names", names)
    connection.execute("INSERT INTO concept_names BY NAME FROM names")
    connection.unregister("names")
    for concept_id in CONCEPTS:
        ancestors = {concept_id: 0}
        if concept_id == "MESH:D009203":
            ancestors["MESH:D017202"] = 1
        for ancestor, distance in ancestors.items():
            connection.execute(
                "INSERT INTO concept_ancestors BY NAME SELECT 'r1' AS release_id, "
                "? AS concept_id, ? AS ancestor_id, ? AS distance",
                [concept_id, ancestor, distance],
            )
    for name, concept_id in LINKS.items():
        connection.execute(
            "INSERT INTO name_links BY NAME SELECT ? AS lookup_text, 'Disease' AS label, "
            "'l1' AS linkset_id, 1 AS rank, 'linked' AS status, ? AS concept_id, 1.0 AS score",
            [name, concept_id],
        )


@pytest.fixture(scope="session")
def searched_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse, which no test may change."""
    folder = tmp_path_factory.mktemp("searched")
    bench = Bench(folder / "w.duckdb")
    records = ({"note_id": key, "text": text} for key, text in NOTES.items())
    bench.run(write_jsonl(folder / "notes.jsonl", *records))
    fill(bench.warehouse)
    return bench.warehouse


@pytest.fixture
def searched(searched_warehouse: Path) -> Iterator[Connection]:
    """It, open for reading only."""
    with read_warehouse(searched_warehouse) as connection:
        yield connection
