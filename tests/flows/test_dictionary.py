"""Dictionaries as a user sees them: settings, orders, the door, a run and an evaluation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.bundled import sample_store
from flows.cli.main import app
from flows.errors import CharthouseError
from flows.order import load_order, save_order
from flows.run import prepare_order
from flows.settings import Settings, load_settings
from ontologies.store import open_store
from tests.flows.conftest import write_jsonl
from tests.flows.evaluating.requests import pubtator
from tests.flows.runs import charthouse, query


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARTHOUSE_CACHE", str(tmp_path / "cache"))


def test_no_model_needs_a_dictionary(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text('[ner]\nmodels = []\n[dictionary]\nstores = ["sample"]\nmin_characters = 4\n')
    settings = load_settings(config, {})
    assert settings.ner.models == ()
    assert settings.dictionary.stores == ("sample",)
    assert settings.dictionary.min_characters == 4
    with pytest.raises(CharthouseError, match=r"ner\.models.*--dictionary"):
        load_settings(None, {"ner": {"models": ()}})


def test_no_dictionary_by_default() -> None:
    assert Settings().dictionary.stores == ()
    assert Settings().annotation.dictionary == Settings().dictionary


@pytest.mark.usefixtures("cache")
def test_workers_get_the_folder_of_the_sample() -> None:
    settings = load_settings(None, {"dictionary": {"stores": ("sample",)}})
    assert settings.dictionary.stores == ("sample",)
    assert settings.annotation.dictionary.stores == (str(sample_store()),)


@pytest.mark.usefixtures("cache")
def test_an_order_keeps_its_dictionary(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "n.jsonl", {"note_id": "1", "text": "Fever."})
    words = tmp_path / "stop.txt"
    words.write_text("cough\n")
    flags = {
        "ner": {"models": ()},
        "dictionary": {"stores": ("sample",), "types": ("C23",), "stop_words": str(words)},
        "ontologies": ("sample",),
    }
    order = prepare_order([str(source)], tmp_path / "w.duckdb", load_settings(None, flags))
    save_order(order, tmp_path / "order.json")
    kept = load_order(tmp_path / "order.json")
    assert kept.settings.model_dump() == order.settings.model_dump()
    assert kept.annotation == order.annotation
    assert kept.order_hash == order.order_hash
    assert kept.settings.dictionary.stop_words == words
    assert [m.name for m in kept.annotation.models] == [
        f"dictionary:{open_store(sample_store()).release.release_id}"
    ]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--model", "none"), "ner.models"),
        (("--dictionary", "no-store"), "no-store"),
        (("--model", "none", "--dictionary", "sample", "--dictionary", "sample"), "given twice"),
    ],
)
@pytest.mark.usefixtures("cache")
def test_what_cannot_be_used_is_told_at_the_door(
    tmp_path: Path, arguments: tuple[str, ...], named: str
) -> None:
    source = write_jsonl(tmp_path / "n.jsonl", {"note_id": "1", "text": "Fever."})
    warehouse = tmp_path / "w.duckdb"
    with pytest.raises(CharthouseError, match=named):
        CliRunner().invoke(
            app, ["run", str(source), "-w", str(warehouse), *arguments], catch_exceptions=False
        )
    assert not warehouse.exists()


def test_none_stands_alone(tmp_path: Path) -> None:
    arguments = ["run", "x", "-w", "y", "--model", "none", "--model", "bundled"]
    assert CliRunner().invoke(app, arguments).exit_code == 2


@pytest.mark.slow
def test_a_run_with_a_dictionary_alone(tmp_path: Path, prefect_address: str) -> None:
    source = write_jsonl(
        tmp_path / "notes.jsonl",
        {"note_id": "1", "text": "Fever and chest pain.\nPLAN: acetaminophen."},
        {"note_id": "2", "text": "Chest pain (CP) again. CP is worse; no fever."},
    )
    warehouse = tmp_path / "w.duckdb"
    call = ("run", source, "--warehouse", warehouse, "--model", "none", "--dictionary", "sample")
    shared = {"PREFECT_API_URL": prefect_address}
    done = charthouse(tmp_path, *call, "--workers", "1", "--json", **shared)
    assert done.returncode == 0, done.stderr
    found = query(
        warehouse,
        "SELECT document_id, mention_text, label, concept_name FROM entities "
        "ORDER BY document_id, mention_id",
    )
    assert found == [
        ("notes:1", "Fever", "Finding", "Fever"),
        ("notes:1", "chest pain", "Disease", "Chest Pain"),
        ("notes:1", "acetaminophen", "Chemical", "Acetaminophen"),
        ("notes:2", "Chest pain", "Disease", "Chest Pain"),
        ("notes:2", "CP", "Disease", "Chest Pain"),
        ("notes:2", "CP", "Disease", "Chest Pain"),
        ("notes:2", "fever", "Finding", "Fever"),
    ]
    ((model, labels),) = query(warehouse, "SELECT model, labels FROM models")
    ((models,),) = query(warehouse, "SELECT models FROM annotation_sets")
    assert models == [model] and str(model).startswith("dictionary:mesh-")
    assert {"Disease", "Finding", "Chemical"} <= set(labels)
    ((wrong,),) = query(
        warehouse,
        "SELECT count(*) FROM mentions m JOIN documents d USING (document_id) "
        "WHERE substr(d.text, m.start_char + 1, m.end_char - m.start_char) != m.mention_text",
    )
    assert wrong == 0
    again = charthouse(tmp_path, *call, "--workers", "1", "--json", **shared)
    assert json.loads(again.stdout)["new"] == 0


@pytest.mark.usefixtures("cache")
def test_a_dictionary_is_judged_like_a_model(tmp_path: Path) -> None:
    gold = pubtator(
        tmp_path / "ward.txt",
        ("1", "Fever and asthma.", [("Fever", "Disease", ""), ("asthma", "Disease", "D001249")]),
    )
    call = ["evaluate", "ner", str(gold), "--model", "none", "--dictionary", "sample", "--json"]
    call += ["--found-map", "Finding=Disease", "--resamples", "5"]
    result = CliRunner().invoke(app, call, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    (model,) = said["models"]
    assert model["name"].startswith("dictionary:mesh-")
    strict = {
        s["measure"]: s["value"] for s in said["corpora"][0]["scores"] if s["label"] == "micro"
    }
    assert strict["precision"] == strict["recall"] == 1.0
    refused = CliRunner().invoke(
        app, ["evaluate", "ner", str(gold), "--dictionary", "sample", "--from-warehouse", "w"]
    )
    assert refused.exit_code == 2
