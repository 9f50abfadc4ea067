"""The task ``relations``: what it reads of a warehouse, and the rows that come of it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from flows.errors import CharthouseError
from flows.generating.relating import RelationTask
from flows.generating.task import GenerationRequest
from flows.settings import Settings
from flows.warehouse.connection import open_warehouse, read_warehouse
from nlp.language_settings import GenerationSettings, RelationSettings
from nlp.ner.source import find_model
from nlp.relations.training import RelationRecipe, train
from tests.flows.generating.related import fill
from tests.language_models import make_biogpt, teach
from tests.nlp.relations.texts import GOLD

TEXTS = {
    "1": "Lithium caused cyanosis. Heparin did not. Then ulcer and gastric ulcer.",
    "2": "Heparin was given.",
    "3": "Lithium and mystery. Mystery again.",
}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("related") / "w.duckdb"
    fill(path, TEXTS)
    return path


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that learnt a little from the encoder in the box, one step an epoch."""
    out = tmp_path_factory.mktemp("relations") / "little"
    recipe = RelationRecipe(epochs=1, batch_tokens=10_000, rank=1)
    train(find_model("bundled"), GOLD[:2], GOLD[:2], out, recipe, device="cpu")
    return out


def _request(
    model: Path | str | None, threshold: float | None = None, where: str = "true"
) -> GenerationRequest:
    named = str(model) if model is not None else None
    settings = Settings(
        relations=RelationSettings(model=named, threshold=threshold),
        generation=GenerationSettings(device="cpu", precision="fp32", max_new_tokens=60),
    )
    return GenerationRequest("relations", settings, where)


def _items(warehouse: Path, where: str = "true") -> pl.DataFrame:
    with read_warehouse(warehouse) as connection:
        return pl.concat(RelationTask().items(connection, _request(None, where=where)))


def test_items_are_documents_with_mentions_and_their_concepts(warehouse: Path) -> None:
    items = _items(warehouse)
    assert items["item_id"].to_list() == items["document_id"].to_list() == ["c:1", "c:2", "c:3"]
    first = json.loads(items["input"][0])
    assert first["text"] == TEXTS["1"] and len(first["sentences"]) == 3
    assert [(m[3], m[4], m[6]) for m in first["mentions"]] == [
        ("Chemical", "MESH:D1", "Lithium"),
        ("Disease", "MESH:D3", "Cyanosis"),
        ("Chemical", "MESH:D2", "Heparin"),
        ("Disease", "MESH:D4", "Ulcer"),
        ("Disease", "MESH:D5", "Stomach Ulcer"),
    ]
    assert first["broader"] == ["MESH:D4"]
    assert _items(warehouse, "native_id = '2' -- one")["item_id"].to_list() == ["c:2"]


def test_relinking_changes_the_hash_of_the_documents_it_touches(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    fill(path, TEXTS)
    before = _items(path)["source_hash"].to_list()
    assert before == _items(path)["source_hash"].to_list()
    with open_warehouse(path) as connection:
        connection.execute(
            "UPDATE name_links SET status = 'linked', concept_id = 'MESH:D4' "
            "WHERE lower(lookup_text) = 'mystery'"
        )
    after = _items(path)["source_hash"].to_list()
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, True, False]


def test_a_classifier_gives_one_row_a_pair_of_concepts(warehouse: Path, classifier: Path) -> None:
    task, request = RelationTask(), _request(classifier, threshold=0.0)
    made = task.identify(request)
    told: list[int] = []
    produced = task.load(request).carry_out(_items(warehouse), told.append)
    rows = produced.frames["relations"]
    assert not produced.rejects and told[-1] == 3
    assert rows["generation_id"].unique().to_list() == [made.generation_id]
    # Two chemicals and three diseases; a name without a concept stands for itself.
    assert rows["document_id"].to_list() == ["c:1"] * 6 + ["c:3"]
    assert rows["relation_id"].to_list() == [0, 1, 2, 3, 4, 5, 0]
    pairs = rows.select("subject_mention_id", "object_mention_id").rows()
    assert pairs == [(0, 1), (0, 3), (0, 4), (2, 1), (2, 3), (2, 4), (0, 1)]
    assert rows["score"].is_between(0, 1).all()
    assert "generations" not in produced.frames


def test_the_set_hangs_on_model_and_threshold(classifier: Path) -> None:
    task = RelationTask()
    ids = [
        task.identify(_request(classifier, threshold)).generation_id for threshold in (None, 0.5)
    ]
    assert len(set(ids)) == 2 and all(i.startswith("gen-") for i in ids)
    assert task.identify(_request(classifier)).generation_id == ids[0]


def test_a_causal_model_writes_and_is_read(warehouse: Path, tmp_path: Path) -> None:
    said = {
        "1": "the relation between lithium and cyanosis exists; "
        "the relation between heparin and gold exists.",
        "2": "nothing of the kind.",
        "3": "the relation between Lithium and mystery exists.",
    }
    learnt = [f"{TEXTS[n]} we can conclude that {said[n]}" for n in TEXTS]
    folder = make_biogpt(tmp_path / "biogpt", learnt)
    teach(folder, learnt, steps=100)
    task, request = RelationTask(), _request(folder)
    made = task.identify(request)
    assert (made.prompt, made.task) == ("relation-sentences", "relations")
    produced = task.load(request).carry_out(_items(warehouse), lambda done: None)
    assert not produced.rejects
    texts, rows = produced.frames["generations"], produced.frames["relations"]
    written = [" ".join(text.split()) for text in texts["text"]]
    assert written[0].startswith("the relation between lithium and cyanosis exists")
    assert texts["unparsed"].to_list() == [1, 1, 0]
    assert rows.select("document_id", "subject_mention_id", "object_mention_id").rows() == [
        ("c:1", 0, 1),
        ("c:3", 0, 1),
    ]
    assert rows["relation"].unique().to_list() == ["chemical_induces_disease"]
    assert rows["score"].is_between(0.2, 1).all()
    assert texts["is_generated"].all() and texts["task"].unique().to_list() == ["relations"]


def test_a_model_that_is_not_there_is_said_at_the_door(tmp_path: Path) -> None:
    with pytest.raises(CharthouseError, match="no such folder"):
        RelationTask().identify(_request(tmp_path / "none"))


def test_a_threshold_for_an_endpoint_is_refused() -> None:
    with pytest.raises(CharthouseError, match=r"endpoint:m tells no score.*threshold"):
        RelationTask().identify(_request("endpoint:m", threshold=0.0))
