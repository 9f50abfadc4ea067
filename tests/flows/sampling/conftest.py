"""A small warehouse to draw from: notes with lines and emoji, abstracts, undecided names."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.sampling.request import SampleRequest, form_of
from flows.sampling.sample import Sampled, sample
from flows.warehouse.connection import Connection, open_warehouse
from tests.flows.conftest import Bench, write_jsonl

LABELS = {"gout": "Disease", "fever": "Disease", "zygoma-itis": "Disease", "𝛽-blocker": "Chemical"}
CONCEPTS = {"gout": "MESH:D006073", "fever": "MESH:D005334"}
NOTES = {
    "1": "💊 Fever and gout.\r\nHX:\tno fever, 𝛽-blocker given.\n",
    "2": "Gout.\nGout again; zygoma-itis.\n\n 𝛽-blocker",
    "3": "Fever only.",
    "a|b %41": "zygoma-itis, zygoma-itis, 𝛽-blocker.",
    "5": "Nothing to see.",
}
ABSTRACTS = {str(n): (f"Gout in trial {n}.", "Fever was rare, zygoma-itis not.") for n in range(20)}


def scored(connection: Connection) -> None:
    """Mark every name of :data:`LABELS` in every text; the later in a text, the less certain."""
    connection.execute("DELETE FROM mentions")
    rows: list[tuple[object, ...]] = []
    pattern = re.compile("|".join(map(re.escape, LABELS)), re.IGNORECASE)
    texts = connection.execute("SELECT document_id, text FROM documents").fetchall()
    for document_id, text in texts:
        for number, found in enumerate(pattern.finditer(text)):
            name = found[0].lower()
            place = (document_id, "rule-1", number, found.start(), found.end(), found[0])
            rows.append((*place, LABELS[name], 0.99 - 0.1 * number, "rule", name))
    connection.executemany(
        "INSERT INTO mentions (document_id, annotation_id, mention_id, start_char, end_char, "
        "mention_text, label, score, model, lookup_text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def described(connection: Connection) -> None:
    """Say what the annotation set stands for, as a run does."""
    connection.execute(
        "INSERT INTO annotation_sets (annotation_id, models, settings, created_at) "
        "VALUES ('rule-1', ['rule'], '{\"models\": [[\"rule\", \"rule-1\"]]}', now()::TIMESTAMP)"
    )
    connection.execute("INSERT INTO models VALUES ('rule-1', 'rule', ['Chemical', 'Disease'])")


def linked(connection: Connection) -> None:
    """Link names to a release of two concepts; the other names stay undecided."""
    connection.execute(
        "INSERT INTO linksets (linkset_id, release_id, position, is_current, settings, created_at) "
        "VALUES ('l1', 'r1', 1, true, '{}', now()::TIMESTAMP)"
    )
    for name, label in LABELS.items():
        concept_id = CONCEPTS.get(name)
        connection.execute(
            "INSERT INTO name_links BY NAME SELECT ? AS lookup_text, ? AS label, 'l1' AS "
            "linkset_id, 1 AS rank, ? AS status, ? AS concept_id, ? AS score, ? AS method",
            [
                name,
                label,
                *(
                    ("linked", concept_id, 1.0, "exact")
                    if concept_id
                    else ("no_candidate", None, None, None)
                ),
            ],
        )
        if concept_id:
            connection.execute(
                "INSERT INTO concepts BY NAME SELECT 'r1' AS release_id, ? AS concept_id, "
                "? AS concept_name, []::VARCHAR[] AS semantic_types, []::VARCHAR[] AS tree_numbers",
                [concept_id, name.title()],
            )


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The warehouse, to be copied."""
    folder = tmp_path_factory.mktemp("made")
    bench = Bench(folder / "w.duckdb")
    records = [{"note_id": key, "text": text} for key, text in NOTES.items()]
    bench.run(write_jsonl(folder / "notes.jsonl", *records))
    source = folder / "papers.pubtator"
    blocks = [f"{key}|t|{title}\n{key}|a|{rest}\n" for key, (title, rest) in ABSTRACTS.items()]
    source.write_text("\n".join(blocks), encoding="utf-8")
    bench.run(source)
    with open_warehouse(bench.warehouse) as connection:
        scored(connection)
        linked(connection)
        described(connection)
        connection.execute(
            "UPDATE documents SET document_date = make_date(2000 + native_id::INT % 4, 1, 1) "
            "WHERE corpus = 'papers'"
        )
    return bench


@pytest.fixture
def stocked(made_once: Bench, tmp_path: Path) -> Bench:
    """Five notes, one of which has an awkward id and one no mention, and twenty abstracts."""
    shutil.copy(made_once.warehouse, tmp_path / "w.duckdb")
    return Bench(tmp_path / "w.duckdb")


Draw = Callable[..., Sampled]


@pytest.fixture
def draw(made_once: Bench, tmp_path: Path) -> Draw:
    """Draw from the warehouse, or from ``warehouse``, to ``tmp_path / name``."""

    def call(name: str = "s.json", *, dry_run: bool = False, **values: Any) -> Sampled:
        out = tmp_path / name
        values = {"warehouse": made_once.warehouse, **values}
        request = SampleRequest(out=out, form=form_of(out, None), **values)
        return sample(request, dry_run=dry_run)

    return call
