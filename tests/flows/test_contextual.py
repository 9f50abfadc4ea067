"""Concepts that a document's other mentions choose, as rows of ``mention_links``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.contextual import link_in_context
from flows.order import LinkTarget
from flows.warehouse.connection import open_warehouse
from ontologies.build import build_store
from ontologies.linker import LinkSettings, link_names, linkset_id
from ontologies.store import open_store
from tests.flows.conftest import Bench
from tests.flows.runs import charthouse
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
SETTINGS = LinkSettings(context_information=0.5)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    build_store([("mesh", mesh_file(tmp_path / "desc.xml", *RECORDS))], tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def two_mentions(bench: Bench, notes: Callable[..., Path]) -> Bench:
    """A warehouse whose documents have two mentions each: both their words."""
    bench.run(notes(**TEXTS))
    bench.query(SECOND)
    bench.query(LETTERS)
    return bench


@pytest.fixture
def target(store: Path) -> LinkTarget:
    release = open_store(store).release.release_id
    return LinkTarget("store", store, release, linkset_id(release, SETTINGS), 1)


@pytest.fixture
def linked(two_mentions: Bench, target: LinkTarget) -> Bench:
    """The same with links of all names, the linkset known."""
    with open_warehouse(two_mentions.warehouse) as connection:
        names = connection.sql("SELECT DISTINCT lookup_text, label FROM mentions").pl()
        links = link_names(open_store(target.store), names, SETTINGS)
        connection.register("links", links.to_arrow())
        connection.execute("INSERT INTO name_links BY NAME FROM links")
    return two_mentions


def in_context(bench: Bench, target: LinkTarget) -> list[tuple[object, ...]]:
    with open_warehouse(bench.warehouse) as connection:
        link_in_context(connection, target, SETTINGS, lambda: None)
    return bench.query(CHOSEN)


def test_documents_choose_between_concepts_of_a_name(linked: Bench, target: LinkTarget) -> None:
    assert in_context(linked, target) == BY_KIN


def test_choosing_again_replaces_what_is_there(linked: Bench, target: LinkTarget) -> None:
    """As after a kill between two slices: nothing is doubled, nothing is missed."""
    in_context(linked, target)
    linked.query("DELETE FROM mention_links WHERE document_id = 'notes:1'")
    linked.query("UPDATE mention_links SET concept_id = 'MESH:D000001'")
    assert in_context(linked, target) == BY_KIN


def make_current(bench: Bench, target: LinkTarget, *, current: bool) -> None:
    bench.query(
        "INSERT INTO linksets (linkset_id, release_id, position, is_current, settings, created_at) "
        f"VALUES ('{target.linkset_id}', 'r', 1, {current}, '{{}}', now()::TIMESTAMP)"
    )


def test_the_current_linkset_is_chosen_for_the_documents_of_the_run(
    linked: Bench, target: LinkTarget
) -> None:
    make_current(linked, target, current=True)
    linked.query("UPDATE document_annotations SET run_id = 'run' WHERE document_id = 'notes:2'")
    assert in_context(linked, target) == BY_KIN[1:]


def test_documents_of_a_run_that_was_given_up_are_gone_through_by_the_next(
    linked: Bench, target: LinkTarget
) -> None:
    make_current(linked, target, current=True)
    linked.query("UPDATE runs SET status = 'abandoned'")
    assert in_context(linked, target) == BY_KIN


def test_a_linkset_that_is_current_again_has_missed_documents(
    linked: Bench, target: LinkTarget
) -> None:
    make_current(linked, target, current=False)
    assert in_context(linked, target) == BY_KIN


@pytest.mark.slow
def test_a_relink_shows_what_context_chose(
    two_mentions: Bench, store: Path, tmp_path: Path, prefect_address: str
) -> None:
    config = tmp_path / "charthouse.toml"
    config.write_text("[link]\ncontext_information = 0.5\n")
    command = ("relink", "-w", two_mentions.warehouse, "--ontology", store)
    shared = {"PREFECT_API_URL": prefect_address}
    for _ in range(2):  # the second one finds nothing to do and leaves the choices alone
        done = charthouse(tmp_path, *command, "--config", config, **shared)
        assert done.returncode == 0, done.stderr
        assert two_mentions.query(CHOSEN) == BY_KIN
    shown = two_mentions.query(
        "SELECT document_id, concept_id, link_method FROM entities WHERE lookup_text = 'Cold' "
        "ORDER BY ALL"
    )
    assert shown == [
        ("notes:1", "MESH:D003139", "context"),
        ("notes:2", "MESH:D007035", "context"),
        ("notes:3", None, None),
    ]
    config.write_text("[link]\ncontext = false\n")
    charthouse(tmp_path, *command, "--config", config, **shared)
    shown = two_mentions.query("SELECT count(concept_id) FROM entities WHERE lookup_text = 'Cold'")
    assert shown == [(0,)]


def test_each_annotation_set_chooses_for_itself(linked: Bench, target: LinkTarget) -> None:
    """Of the kept set only the first mention is there: nothing decides about it."""
    for table, which in (("mentions", "WHERE mention_id = 0"), ("document_annotations", "")):
        linked.query(
            f"INSERT INTO {table} SELECT * REPLACE ('rule-2' AS annotation_id) FROM {table} {which}"
        )
    linked.query("UPDATE document_annotations SET is_current = annotation_id = 'rule-1'")
    assert in_context(linked, target) == BY_KIN
    assert linked.query("SELECT DISTINCT annotation_id FROM mention_links") == [("rule-1",)]
