"""What of the warehouse's documents reaches a prompt, and how a set of texts is identified."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from flows.errors import CharthouseError, UsageError
from flows.generating.document_items import read_item
from flows.generating.document_worker import EMPTY, DocumentWorker
from flows.generating.schema import GENERATIONS, ITEM_SCHEMA
from flows.generating.task import GenerationRequest
from flows.generating.writing import WriteText
from flows.settings import Settings
from flows.warehouse.connection import read_warehouse
from nlp.generation.errors import GenerationError
from nlp.ner.errors import DeviceError
from tests.flows.generating.scribe import Scribe
from tests.language_models import make_gpt2

PROMPT = """
name = "mine"
version = 3
task = "text"
meaning = "shows all there is"
prompt = '''
{kind}|{title}|{document_type}|{document_date}|{concepts}|{mentions}|{section:allergies}|{tone}
{text}'''
max_new_tokens = 9

[inputs]
kind = { meaning = "k" }
text = { meaning = "t" }
tone = { meaning = "given" }
title = { meaning = "t", default = "none" }
document_type = { meaning = "t", default = "none" }
document_date = { meaning = "d", default = "none" }
concepts = { meaning = "c", default = "none" }
mentions = { meaning = "m", default = "none" }
"section:allergies" = { meaning = "a", default = "none" }
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_gpt2(tmp_path_factory.mktemp("models") / "small")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(PROMPT, "utf-8")
    return path


def ask(
    model: Path | str, prompt: Path | str | None, where: str = "true", **more
) -> GenerationRequest:
    inputs = more.pop("inputs", {"tone": "kind"})
    settings = Settings(generation={"model": str(model), "prompt": prompt and str(prompt), **more})
    return GenerationRequest("text", settings, where, inputs=inputs)


def items(warehouse: Path, request: GenerationRequest) -> pl.DataFrame:
    with read_warehouse(warehouse) as connection:
        return pl.concat(WriteText().items(connection, request))


def carry_out(found: pl.DataFrame, request: GenerationRequest, scribe: Scribe):
    task = WriteText()
    worker = DocumentWorker(task.identify(request), task.choose(request), scribe)
    return worker.carry_out(found, lambda done: None)


def test_inputs_come_from_columns_concepts_mentions_sections_and_the_user(sampled, model, mine):
    request = ask(model, mine, "document_id = 'notes:N0001'")
    (item,) = items(sampled, request).iter_rows(named=True)
    assert (item["item_id"], item["document_id"]) == ("notes:N0001", "notes:N0001")
    assert item["person_id"] == "P001"
    scribe = Scribe()
    carry_out(items(sampled, request), request, scribe)
    (line, *_) = scribe.prompts[0].text.splitlines()
    assert line == (
        "note|none|Emergency Department Note|2021-02-16|Chest Pain; Diabetes; Aspirin|"
        "Chest pain; hypertension; diabetes; Aspirin|ALLERGIES: Penicillin (hives).|kind"
    )


def test_a_given_input_goes_before_the_documents_own(sampled, model, mine):
    request = ask(
        model, mine, "document_id = 'notes:N0001'", inputs={"tone": "x", "kind": "letter"}
    )
    item = read_item(items(sampled, request)["input"][0])
    assert (item.kind, item.inputs["kind"]) == ("note", "letter")


def test_items_are_the_chosen_documents_with_text_in_a_fixed_order(sampled, model, mine):
    request = ask(model, mine)
    found = items(sampled, request)
    assert dict(found.schema) == ITEM_SCHEMA
    with read_warehouse(sampled) as connection:
        expected = connection.execute(
            "SELECT document_id FROM documents WHERE text IS NOT NULL AND NOT is_deleted"
        ).fetchall()
    assert sorted(found["item_id"]) == sorted(id for (id,) in expected)
    assert "notes:N0004" not in found["item_id"]
    assert found.equals(items(sampled, request))
    chosen = items(sampled, ask(model, mine, "kind = 'abstract' -- only\n"))
    assert set(chosen["item_id"]) == {i for i in found["item_id"] if not i.startswith("notes:")}


def test_long_texts_bring_the_warehouses_spans_and_short_ones_do_not(sampled, model, mine):
    for item in map(read_item, items(sampled, ask(model, mine))["input"]):
        text = item.inputs["text"]
        assert (item.sentences is not None) == (len(text) > 2_000)
        for start, end in item.sentences or ():
            assert text[start:end].strip() == text[start:end] != ""


def test_the_source_hash_follows_all_that_is_in_the_prompt_and_nothing_else(sampled, model, mine):
    where = "document_id = 'notes:N0001'"
    first = items(sampled, ask(model, mine, where))["source_hash"].to_list()
    assert (
        items(sampled, ask(model, mine, where, max_new_tokens=3))["source_hash"].to_list() == first
    )
    other = items(sampled, ask(model, mine, where, inputs={"tone": "cold"}))
    assert other["source_hash"].to_list() != first
    bare = ask(model, "document-question", where, inputs={"question": "Why?"})
    assert "concepts" not in read_item(items(sampled, bare)["input"][0]).inputs


def test_rows_have_all_columns_and_an_empty_text_is_a_reject(sampled, model, mine):
    request = ask(model, mine, "document_id IN ('notes:N0001', 'notes:N0003')")
    found = items(sampled, request)
    produced = carry_out(found, request, Scribe())
    empty = found["item_id"].to_list().index("notes:N0003")
    assert produced.rejects == [(empty, EMPTY)]
    frame = produced.frames[GENERATIONS.name]
    assert frame.schema == GENERATIONS.schema
    (row,) = frame.iter_rows(named=True)
    made = WriteText().identify(request)
    assert row | {"seconds": 0, "text": 0} == {
        "generation_id": made.generation_id,
        "item_id": "notes:N0001",
        "document_id": "notes:N0001",
        "person_id": "P001",
        "task": "text",
        "question": None,
        "text": 0,
        "finish_reason": "stop",
        "model": "small",
        "prompt": "mine",
        "prompt_version": 3,
        "parameters": made.parameters,
        "prompt_tokens": row["prompt_tokens"],
        "completion_tokens": 2,
        "truncated_tokens": 0,
        "calls": 1,
        "seconds": 0,
        "score": -0.5,
        "unparsed": None,
        "is_generated": True,
    }
    assert row["seconds"] > 0
    assert json.loads(made.parameters)["inputs"] == {"tone": "kind"}


def test_a_document_without_a_required_section_is_a_reject(sampled, model, mine):
    lines = PROMPT.replace('{ meaning = "a", default = "none" }', '{ meaning = "a" }')
    mine.write_text(lines, "utf-8")
    request = ask(model, mine)
    found = items(sampled, request)
    produced = carry_out(found, request, Scribe())
    reasons = {found["item_id"][row]: reason for row, reason in produced.rejects}
    with read_warehouse(sampled) as connection:
        having = connection.execute(
            "SELECT DISTINCT document_id FROM sections WHERE name = 'allergies'"
        ).fetchall()
    written = produced.frames[GENERATIONS.name]["item_id"]
    assert set(written) == {id for (id,) in having} - {"notes:N0003", "notes:N0004"}
    del reasons["notes:N0003"]
    assert set(reasons.values()) == {
        "prompt mine: input section:allergies is missing; it has no default"
    }


def test_one_document_that_fails_is_a_reject_and_a_model_that_fails_is_raised(sampled, model, mine):
    request = ask(model, mine, "document_id IN ('notes:N0001', 'notes:N0002', 'notes:N0005')")
    found = items(sampled, request)
    produced = carry_out(found, request, Scribe(breaks_on="STEMI"))
    (bad,) = produced.rejects
    assert found["item_id"][bad[0]] == "notes:N0002"
    assert bad[1].startswith("KeyError at scribe.py:")
    assert len(produced.frames[GENERATIONS.name]) == 2
    with pytest.raises(KeyError):
        carry_out(found, request, Scribe(breaks_on="|"))
    with pytest.raises(DeviceError):
        carry_out(found, request, Scribe(raises=DeviceError("gone")))
    with pytest.raises(GenerationError, match="leaves no room for text"):
        carry_out(found, request, Scribe(context=57))


def test_the_set_follows_what_decides_the_text(model, mine, tmp_path):
    identify = WriteText().identify
    first = identify(ask(model, mine))
    assert first.generation_id.startswith("gen-")
    assert (first.prompt, first.prompt_version, first.model) == ("mine", 3, "small")
    same = (
        ask(model, mine, "kind = 'note'"),
        ask(model, mine, device="cpu", batch_tokens=500),
        ask(model, mine, seed=7, top_k=5),  # nothing is drawn
    )
    for request in same:
        assert identify(request) == first
    other_model = make_gpt2(tmp_path / "small", seed=2)
    mine_too = tmp_path / "too.toml"
    mine_too.write_text(PROMPT.replace("{text}", "Text: {text}"), "utf-8")
    others = [
        ask(other_model, mine),
        ask(model, mine_too),
        ask(model, mine, max_new_tokens=3),
        ask(model, mine, temperature=0.5),
        ask(model, mine, temperature=0.5, seed=7),
        ask(model, mine, repetition_penalty=1.2),
        ask(model, mine, max_input_tokens=99),
        ask(model, mine, inputs={"tone": "cold"}),
    ]
    ids = {identify(request).generation_id for request in others}
    assert len(ids | {first.generation_id}) == len(others) + 1


def test_what_cannot_be_asked_is_refused_at_the_door(model, mine, tmp_path):
    identify = WriteText().identify
    with pytest.raises(UsageError, match="no prompt is named"):
        identify(ask(model, None))
    with pytest.raises(UsageError, match="is for the task answer"):
        identify(ask(model, "cited-answer"))
    with pytest.raises(UsageError, match="--input tone=VALUE"):
        identify(ask(model, mine, inputs={}))
    with pytest.raises(UsageError, match="has no input size"):
        identify(ask(model, mine, inputs={"tone": "x", "size": "y"}))
    with pytest.raises(CharthouseError, match="no such template in the box"):
        identify(ask(model, "minee"))
    with pytest.raises(CharthouseError, match="no such folder"):
        identify(ask(tmp_path / "none", mine))
    with pytest.raises(UsageError, match="no language model is named"):
        identify(
            GenerationRequest(
                "text", Settings(generation={"prompt": str(mine)}), inputs={"tone": "x"}
            )
        )
