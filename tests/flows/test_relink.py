"""Linking a warehouse anew: both releases side by side, what changed, and no NER."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from flows.errors import CharthouseError
from flows.relink import relink
from flows.settings import Settings
from nlp.annotate import Annotator
from nlp.ner.engine import NerEngine
from ontologies.build import build_store
from tests.flows.conftest import Bench, write_jsonl
from tests.flows.runs import charthouse, environment
from tests.ontologies.conftest import mesh_file, record

OLD = (
    record("D003324", "Coronary Disease", "Angor", trees=("C14.100",)),
    record("D001249", "Asthma", trees=("C08.100",)),
    record("D000755", "Anemia, Sickle Cell", "Drepanocytosis", trees=("C15.100",)),
    record("D003080", "Rhume", trees=("C08.200",)),
)
NEW = (
    record("D000787", "Angina Pectoris", "Angor", trees=("C14.100.1",)),
    record("D001249", "Asthma", trees=("C08.100",)),
    record("D099999", "Drepanocytosis", trees=("C15.100",)),
    record("D005334", "Fever", "Pyrexia", trees=("C23.888",)),
)
TEXTS = {
    "1": "Angor since May.",
    "2": "Asthma here.",
    "3": "Asthma again.",
    "4": "Drepanocytosis.",
    "5": "Pyrexia of 39.",
    "6": "Rhume.",
    "7": "Xyzzy.",
}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("stores")
    old, new = folder / "mesh1", folder / "mesh2"
    build_store([("mesh", mesh_file(folder / "old.xml", *OLD))], old)
    replaced = pl.DataFrame({"old_id": ["MESH:D000755"], "concept_id": ["MESH:D099999"]})
    build_store([("mesh", mesh_file(folder / "new.xml", *NEW))], new, replaced=replaced)
    return old, new


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefect_address: str) -> Path:
    for name, value in environment(tmp_path, PREFECT_API_URL=prefect_address).items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture(scope="module")
def linked_once(
    tmp_path_factory: pytest.TempPathFactory, stores: tuple[Path, Path], prefect_address: str
) -> Path:
    """A warehouse whose names are linked to the old release, to be copied."""
    folder = tmp_path_factory.mktemp("linked")
    bench = Bench(folder / "w.duckdb")
    records = ({"note_id": key, "text": text} for key, text in TEXTS.items())
    bench.run(write_jsonl(folder / "notes.jsonl", *records))
    order = ("relink", "-w", bench.warehouse, "--ontology", stores[0])
    done = charthouse(folder, *order, PREFECT_API_URL=prefect_address)
    assert done.returncode == 0, done.stderr
    assert "gained" in done.stdout
    return bench.warehouse


@pytest.fixture
def linked(linked_once: Path, bench: Bench, home: Path) -> Bench:
    """The warehouse, for one test to change."""
    shutil.copyfile(linked_once, bench.warehouse)
    return bench


def concepts(bench: Bench) -> dict[str, str | None]:
    rows = bench.query("SELECT mention_text, concept_id FROM entities")
    return {str(text).rstrip("."): concept for text, concept in rows}  # type: ignore[misc]


def test_a_relink_moves_the_view_and_keeps_both_releases(
    linked: Bench, stores: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert concepts(linked) == {
        "Angor": "MESH:D003324",
        "Asthma": "MESH:D001249",
        "Drepanocytosis": "MESH:D000755",
        "Pyrexia": None,
        "Rhume": "MESH:D003080",
        "Xyzzy": None,
    }
    mentions = linked.query("FROM mentions ORDER BY ALL")
    ledger = linked.query("FROM document_annotations ORDER BY ALL")
    model_calls: list[str] = []
    monkeypatch.setattr(NerEngine, "__init__", lambda *_, **__: model_calls.append("model"))
    monkeypatch.setattr(Annotator, "annotate", lambda *_, **__: model_calls.append("annotate"))

    outcome = relink(linked.warehouse, Settings(ontologies=(str(stores[1]),)), quiet=True)

    assert model_calls == []
    assert linked.query("FROM mentions ORDER BY ALL") == mentions
    assert linked.query("FROM document_annotations ORDER BY ALL") == ledger
    assert concepts(linked) == {
        "Angor": "MESH:D000787",
        "Asthma": "MESH:D001249",
        "Drepanocytosis": "MESH:D099999",
        "Pyrexia": "MESH:D005334",
        "Rhume": None,
        "Xyzzy": None,
    }
    (change,) = outcome.changes
    assert (change.label, change.unchanged) == ("Disease", (2, 3))
    assert change.gained == change.lost == change.moved == change.renamed == (1, 1)
    (move,) = outcome.moves
    assert (move.before_name, move.after_name) == ("Coronary Disease", "Angina Pectoris")
    counts = linked.query(
        "SELECT linkset_id, count(DISTINCT lookup_text) FROM name_links GROUP BY 1"
    )
    assert [count for _, count in counts] == [6, 6]
    assert not outcome.already_linked


def test_a_relink_to_the_same_release_changes_nothing(
    linked: Bench, home: Path, prefect_address: str
) -> None:
    links = linked.query("FROM name_links ORDER BY ALL")
    order = ("relink", "-w", linked.warehouse, "--json")
    done = charthouse(home, *order, PREFECT_API_URL=prefect_address)
    outcome = json.loads(done.stdout)
    assert outcome["already_linked"]
    assert [change["unchanged"] for change in outcome["changes"]] == [[6, 7]]
    assert linked.query("FROM name_links ORDER BY ALL") == links


def test_the_dry_run_counts_names_and_writes_nothing(
    linked: Bench, stores: tuple[Path, Path]
) -> None:
    before = linked.query("FROM name_links ORDER BY ALL")
    arguments = ["relink", "-w", str(linked.warehouse), "--ontology", str(stores[1])]
    shown = CliRunner().invoke(app, [*arguments, "--dry-run", "--json"])
    assert json.loads(shown.stdout) == {str(stores[1]): 6}
    assert linked.query("FROM name_links ORDER BY ALL") == before


def test_without_warehouse_or_store_nothing_is_made(tmp_path: Path, bench: Bench) -> None:
    with pytest.raises(CharthouseError, match="does not exist"):
        relink(tmp_path / "none.duckdb", Settings(), quiet=True)
    bench.query("SELECT 1")
    with pytest.raises(CharthouseError, match="does not exist"):
        relink(bench.warehouse, Settings(ontologies=(str(tmp_path / "none"),)), quiet=True)
    assert bench.query("SELECT count(*) FROM linksets") == [(0,)]
