"""Concepts that a document's other mentions choose, as rows of ``mention_links``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.contextual import link_in_context
from flows.order import LinkTarget
from flows.relink import relink
from flows.settings import Settings
from flows.warehouse.connection import open_warehouse
from ontologies.build import build_store
from ontologies.linker import LinkSettings, linkset_id
from ontologies.store import open_store
from tests.flows.conftest import Bench
from tests.flows.runs import environment
from tests.ontologies.conftest import mesh_file, record

RECORDS = (
    record("D003139", "Common Cold", "Cold", trees=("C08.1",)),
    record("D007035", "Hypothermia", "Cold", trees=("C23.1",)),
    record("D012141", "Respiratory Tract Infections", trees=("C08",)),
    record("D012818", "Signs and Symptoms", trees=("C23",)),
    record("D007251", "Flu", trees=("C08.2",)),
    record("D005334", "Fever", trees=("C23.2",)),
)
TEXTS = {"1": "Cold. Flu.", "2": "Cold. Fever.", "3": "Cold. Xyzzy.", "4": "Flu. Fever."}

SECOND = """
INSERT INTO mentions BY NAME
SELECT * EXCLUDE (text, word) REPLACE (1 AS mention_id, word AS lookup_text, word AS mention_text,
  position(word IN text) - 1 AS start_char, position(word IN text) - 1 + length(word) AS end_char)
FROM (SELECT m.*, d.text, regexp_extract(d.text, ' (\\w+)', 1) AS word
      FROM mentions m JOIN documents d USING (document_id) WHERE m.mention_id = 0)
"""
LETTERS = "UPDATE mentions SET lookup_text = rtrim(lookup_text, '.')"
CHOSEN = "SELECT document_id, mention_id, concept_id, method FROM mention_links ORDER BY ALL"

BY_KIN = [("notes:1", 0, "MESH:D003139", "context"), ("notes:2", 0, "MESH:D007035", "context")]
SETTINGS = {"link": {"context_information": 0.5}}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    build_store([("mesh", mesh_file(tmp_path / "desc.xml", *RECORDS))], tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def two_mentions(
    bench: Bench, notes: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Bench:
    """A warehouse whose documents have two mentions each: both their words."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    bench.run(notes(**TEXTS))
    bench.query(SECOND)
    bench.query(LETTERS)
    return bench


def linked(bench: Bench, store: Path, **more: object) -> list[tuple[object, ...]]:
    relink(bench.warehouse, Settings(ontologies=(str(store),), **SETTINGS | more), quiet=True)
    return bench.query(CHOSEN)


def test_documents_choose_between_concepts_of_a_name(two_mentions: Bench, store: Path) -> None:
    assert linked(two_mentions, store) == BY_KIN
    shown = two_mentions.query(
        "SELECT document_id, concept_id, link_method FROM entities WHERE lookup_text = 'Cold' "
        "ORDER BY ALL"
    )
    assert shown == [
        ("notes:1", "MESH:D003139", "context"),
        ("notes:2", "MESH:D007035", "context"),
        ("notes:3", None, None),
    ]


def test_linking_again_changes_nothing(two_mentions: Bench, store: Path) -> None:
    linked(two_mentions, store)
    rows = two_mentions.query("FROM mention_links ORDER BY ALL")
    linked(two_mentions, store)
    assert two_mentions.query("FROM mention_links ORDER BY ALL") == rows


def test_context_can_be_switched_off(two_mentions: Bench, store: Path) -> None:
    assert linked(two_mentions, store, link={"context": False}) == []


def test_a_link_stage_that_was_killed_is_done_again(two_mentions: Bench, store: Path) -> None:
    """What is there is replaced, whatever was written before the kill."""
    linked(two_mentions, store)
    settings = LinkSettings(context_information=0.5)
    release = open_store(store).release.release_id
    target = LinkTarget("store", store, release, linkset_id(release, settings), 1)
    with open_warehouse(two_mentions.warehouse) as connection:
        connection.execute("DELETE FROM mention_links WHERE document_id = 'notes:1'")
        connection.execute("UPDATE mention_links SET concept_id = 'MESH:D000001'")
        connection.execute("DELETE FROM linksets")
        link_in_context(connection, target, settings, "no-run", lambda: None)
    assert two_mentions.query(CHOSEN) == BY_KIN


def test_a_run_goes_through_its_own_documents_only(two_mentions: Bench, store: Path) -> None:
    linked(two_mentions, store)
    settings = LinkSettings(context_information=0.5)
    release = open_store(store).release.release_id
    target = LinkTarget("store", store, release, linkset_id(release, settings), 1)
    with open_warehouse(two_mentions.warehouse) as connection:
        connection.execute("DELETE FROM mention_links")
        connection.execute(
            "UPDATE document_annotations SET run_id = 'later' WHERE document_id = 'notes:2'"
        )
        link_in_context(connection, target, settings, "later", lambda: None)
    assert two_mentions.query(CHOSEN) == BY_KIN[1:]
