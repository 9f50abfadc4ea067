"""The small warehouse of the exports, which has assertions, sections, links and a text left out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.warehouse.connection import Connection, open_warehouse, read_warehouse
from tests.flows.conftest import Bench, write_jsonl
from tests.flows.exporting.conftest import NOTE_1
from tests.flows.exporting.conftest import made_once as made_once


@pytest.fixture(scope="session")
def shown(made_once: Bench, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse with candidates, a cue's words, a link by context and a second ontology."""
    path = tmp_path_factory.mktemp("shown") / "w.duckdb"
    shutil.copy(made_once.warehouse, path)
    with open_warehouse(path) as connection:
        connection.execute(
            "UPDATE assertion_cues SET start_char = ?, end_char = ?",
            [NOTE_1.index("perhaps"), NOTE_1.index("perhaps") + len("perhaps")],
        )
        connection.execute(
            "INSERT INTO linksets (linkset_id, release_id, position, is_current, settings, "
            "created_at) VALUES ('l2', 'r2', 2, true, '{}', now()::TIMESTAMP), "
            "('old', 'r1', 1, false, '{}', now()::TIMESTAMP)"
        )
        connection.execute(
            "INSERT INTO ontology_releases VALUES ('r1', 'Tree of names', 9, 9, 'nobody', ''), "
            "('r2', 'Other tree', 1, 1, 'nobody', '')"
        )
        connection.execute(
            "INSERT INTO name_links BY NAME FROM (VALUES "
            "('fever', 'Disease', 'l1', 2, 'linked', 'MESH:D006073', 0.5, 'ngram', 'fiver'), "
            "('gout', 'Disease', 'l2', 1, 'ambiguous', 'X:1', 0.9, 'exact', 'gout'), "
            "('gout', 'Disease', 'l2', 2, 'ambiguous', 'X:2', 0.9, 'exact', 'Gout'), "
            "('rash', 'Disease', 'l2', 1, 'no_candidate', NULL, NULL, NULL, NULL)) "
            "t(lookup_text, label, linkset_id, rank, status, concept_id, score, method, "
            "matched_name)"
        )
        connection.execute(
            "INSERT INTO mention_links SELECT document_id, annotation_id, mention_id, 'l2', 'X:2', "
            "0.9, 'context' FROM mentions WHERE lookup_text = 'gout' AND uncertain"
        )
    return path


@pytest.fixture
def connection(shown: Path) -> Iterator[Connection]:
    with read_warehouse(shown) as opened:
        yield opened


@pytest.fixture
def bench_of_two(tmp_path: Path) -> Iterator[Connection]:
    """Two corpora with a document ``a`` each; that of ``notes`` is annotated by two sets."""
    path = tmp_path / "two.duckdb"
    bench = Bench(path, keep_previous=True)
    bench.run(write_jsonl(tmp_path / "more.jsonl", {"note_id": "a", "text": "rash"}))
    bench.run(write_jsonl(tmp_path / "notes.jsonl", {"note_id": "a", "text": "gout today"}))
    other = Bench(path, annotation_id="rule-2", keep_previous=True)
    other.run(tmp_path / "notes.jsonl")
    with open_warehouse(path) as opened:
        opened.execute(
            "INSERT INTO annotation_sets VALUES ('rule-1', [], '{}', now()::TIMESTAMP), "
            "('rule-2', [], '{}', now()::TIMESTAMP)"
        )
        # As if the text had been another one then.
        opened.execute(
            "UPDATE document_annotations SET source_hash = 'older' "
            "WHERE document_id = 'notes:a' AND annotation_id = 'rule-1'"
        )
    with read_warehouse(path) as opened:
        yield opened
