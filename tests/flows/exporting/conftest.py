"""A small warehouse with all an export has to carry: assertions, quantities, links, no text."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.exporting.export import Format, Order, export
from flows.exporting.outcome import Exported
from flows.exporting.selection import Selection
from flows.warehouse.connection import Connection, open_warehouse
from tests.flows.conftest import Bench, write_jsonl

NOTE_1 = (
    "CHIEF COMPLAINT: 💊 Chest pain since the naïve café visit, ß.\r\n"
    "HISTORY:\tNo fever. Mother had diabetes. Past asthma, perhaps gout. If rash occurs, call.\n"
    "LABS: sodium <120 mmol/L."
)
NOTE_2 = "Fever all night.\nSodium was normal."
ABSTRACT = "Aspirin in Ménière’s disease.", "Aspirin helps; 𝛽-blockers and fever do not."

LINKS = {
    "chest pain": "MESH:D002637",
    "fever": "MESH:D005334",
    "diabetes": "UMLS:C0011849",
    "asthma": "MESH:D001249",
    "gout": "MESH:D006073",
    "rash": "MESH:D005076",
    "aspirin": "MESH:D001241",
    "ménière’s disease": "OMIM:156000",
    "sodium": "MESH:D012964",
}


def add_mention(
    connection: Connection, document_id: str, name: str, label: str = "Disease", **values: object
) -> int:
    """Add a mention where a name stands first in a document; returns its mention_id."""
    ((text, mention_id),) = connection.execute(
        "SELECT text, (SELECT coalesce(max(mention_id) + 1, 0) FROM mentions m "
        "WHERE m.document_id = d.document_id) FROM documents d WHERE document_id = ?",
        [document_id],
    ).fetchall()
    start = text.lower().index(name)
    row: dict[str, object] = {
        "document_id": document_id,
        "annotation_id": "rule-1",
        "mention_id": mention_id,
        "start_char": start,
        "end_char": start + len(name),
        "mention_text": text[start : start + len(name)],
        "label": label,
        "score": 0.9,
        "model": "rule",
        "lookup_text": name,
        **values,
    }
    columns = ", ".join(f"? AS {column}" for column in row)
    connection.execute(f"INSERT INTO mentions BY NAME SELECT {columns}", list(row.values()))
    return int(mention_id)


def assess(**said: object) -> dict[str, object]:
    """An assessed mention: all as usual but what is said."""
    usual = dict.fromkeys(("negated", "uncertain", "historical", "hypothetical"), False)
    return usual | {"experiencer": "patient"} | said


def add_links(connection: Connection) -> None:
    """Link the names of :data:`LINKS`."""
    connection.execute(
        "INSERT INTO linksets (linkset_id, release_id, position, is_current, settings, created_at) "
        "VALUES ('l1', 'r1', 1, true, '{}', now()::TIMESTAMP)"
    )
    for name, concept_id in LINKS.items():
        connection.execute(
            "INSERT INTO concepts BY NAME SELECT 'r1' AS release_id, ? AS concept_id, "
            "? AS concept_name, []::VARCHAR[] AS semantic_types, []::VARCHAR[] AS tree_numbers",
            [concept_id, name.title()],
        )
        for label in ("Disease", "Chemical"):
            connection.execute(
                "INSERT INTO name_links BY NAME SELECT ? AS lookup_text, ? AS label, "
                "'l1' AS linkset_id, 1 AS rank, 'linked' AS status, ? AS concept_id, 1.0 AS score",
                [name, label, concept_id],
            )


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The warehouse, to be copied: making it takes longer than most tests."""
    folder = tmp_path_factory.mktemp("made")
    bench = Bench(folder / "w.duckdb")
    bench.run(
        write_jsonl(
            folder / "notes.jsonl",
            {"note_id": "11", "text": NOTE_1},
            {"note_id": "12", "text": NOTE_2},
            {"note_id": "13", "text": "Gout."},
        )
    )
    title, abstract = ABSTRACT
    source = folder / "abstracts.pubtator"
    source.write_text(f"77|t|{title}\n77|a|{abstract}\n", encoding="utf-8")
    bench.run(source)
    with open_warehouse(bench.warehouse) as connection:
        connection.execute("DELETE FROM mentions")
        connection.execute(
            "UPDATE documents SET person_id = '5', document_date = DATE '2024-02-03', "
            "encounter_id = '4', document_type = 'Progress note' WHERE document_id = 'notes:11'"
        )
        connection.execute("UPDATE documents SET person_id = '6' WHERE document_id = 'notes:12'")
        add_links(connection)
        one = "notes:11"
        add_mention(connection, one, "chest pain", **assess(), section_id=0)
        add_mention(connection, one, "fever", **assess(negated=True), section_id=1)
        add_mention(connection, one, "diabetes", **assess(experiencer="family"), section_id=1)
        add_mention(connection, one, "asthma", **assess(historical=True), section_id=1)
        doubted = add_mention(connection, one, "gout", **assess(uncertain=True), section_id=1)
        add_mention(connection, one, "rash", **assess(hypothetical=True), section_id=1)
        sodium = add_mention(connection, one, "sodium", "Chemical", **assess(), section_id=2)
        add_mention(connection, "notes:12", "fever")
        # Privacy has left the text out.
        add_mention(connection, "notes:13", "gout", mention_text=None)
        connection.execute("UPDATE documents SET text = NULL WHERE document_id = 'notes:13'")
        add_mention(connection, "abstracts:77", "aspirin", "Chemical")
        add_mention(connection, "abstracts:77", "ménière’s disease")
        for section_id, (name, loinc) in enumerate(
            [("chief_complaint", "10154-3"), ("history", None), ("labs", "30954-2")]
        ):
            heading = name.replace("_", " ").upper() + ":"
            start = NOTE_1.index(heading)
            end = (NOTE_1.index("HISTORY:"), NOTE_1.index("LABS:"), len(NOTE_1))[section_id]
            connection.execute(
                "INSERT INTO sections VALUES (?, 'rule-1', ?, ?, ?, ?, ?, ?)",
                [one, section_id, name, start, end, start + len(heading), loinc],
            )
        connection.execute(
            "INSERT INTO assertion_cues VALUES (?, 'rule-1', ?, 'uncertain', 'perhaps', 1, 2)",
            [one, doubted],
        )
        connection.execute(
            "INSERT INTO quantities BY NAME SELECT ? AS document_id, 'rule-1' AS annotation_id, "
            "0 AS quantity_id, 0 AS start_char, 1 AS end_char, 'lab_value' AS kind, "
            "? AS mention_id, '<' AS comparator, 120.0 AS value, 'mmol/L' AS unit",
            [one, sodium],
        )
    return bench


@pytest.fixture
def filled(made_once: Bench, tmp_path: Path) -> Bench:
    """Notes 11 and 12 of persons, note 13 without a text, one abstract; 11 mentions."""
    shutil.copy(made_once.warehouse, tmp_path / "w.duckdb")
    return Bench(tmp_path / "w.duckdb")


Export = Callable[..., Exported]


@pytest.fixture
def run_export(filled: Bench, tmp_path: Path) -> Export:
    """Export the small warehouse to ``tmp_path / "out"``, or wherever ``out`` says."""

    def call(
        format: Format, *, where: str | None = None, corpora: Any = (), **more: Any
    ) -> Exported:
        out = more.pop("out", tmp_path / "out")
        return export(
            Order(filled.warehouse, out, format, Selection(where, tuple(corpora)), **more)
        )

    return call
