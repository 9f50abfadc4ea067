"""Summaries of a warehouse's documents by small models that were taught what to write."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from flows.generating.schema import GENERATIONS
from flows.generating.summarizing import Summarize
from flows.generating.task import GenerationRequest, Produced
from flows.settings import Settings
from flows.warehouse.connection import read_warehouse
from nlp.generation.template import load_template
from tests.flows.conftest import Bench, write_jsonl
from tests.language_models import make_gpt2, teach

PROMPT = """
name = "brief"
version = 1
task = "summarize"
meaning = "what a model was taught"
style = "continuation"
prompt = "{text} TL;DR:"
merge = "{parts} All:"
long_input = "text"
stop = ["\\n"]
max_new_tokens = 12

[inputs.text]
meaning = "the note"
"""

FIRST = "He came with fever and cough for three days, with clear lungs and no rash to be seen."
SECOND = "She fell on the stairs at home, and her left wrist was swollen but the film was clear."
SHORT = {"1": "Gout flared in both knees.", "2": "No chest pain today."}
TAUGHT = {
    f"{SHORT['1']} TL;DR:": " gout.",
    f"{SHORT['2']} TL;DR:": " well.",
    f"{FIRST} TL;DR:": " fever.",
    f"{SECOND} TL;DR:": " wrist.",
    "fever. wrist. All:": " fever and wrist.",
}


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT-2 that has learnt :data:`TAUGHT` by heart. Its context holds half the long note."""
    texts = [prompt + answer for prompt, answer in TAUGHT.items()]
    folder = make_gpt2(tmp_path_factory.mktemp("models") / "taught", texts, size=300, context=128)
    assert teach(folder, texts, steps=120) < 0.2
    return folder


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notes")
    bench = Bench(folder / "w.duckdb")
    texts = {**SHORT, "3": f"{FIRST} {SECOND}"}
    records = [{"note_id": key, "text": text} for key, text in texts.items()]
    bench.run(write_jsonl(folder / "notes.jsonl", *records))
    return bench.warehouse


@pytest.fixture
def brief(tmp_path: Path) -> Path:
    path = tmp_path / "brief.toml"
    path.write_text(PROMPT, "utf-8")
    return path


def ask(model: Path, prompt: Path | None = None, where: str = "true", **more: object):
    chosen = {"model": str(model), "prompt": prompt and str(prompt), "device": "cpu", **more}
    return GenerationRequest("summarize", Settings(generation=chosen), where)


def items(warehouse: Path, request: GenerationRequest) -> pl.DataFrame:
    with read_warehouse(warehouse) as connection:
        return pl.concat(Summarize().items(connection, request))


def summaries(produced: Produced) -> dict[str, dict[str, object]]:
    assert not produced.rejects
    rows = produced.frames[GENERATIONS.name].drop("seconds").iter_rows(named=True)
    return {row["item_id"]: row for row in rows}


def test_what_was_taught_is_written_and_a_long_note_is_cut_and_merged(taught, notes, brief):
    request = ask(taught, brief)
    seen: list[int] = []
    worker = Summarize().load(request)
    found = summaries(worker.carry_out(items(notes, request), seen.append))
    assert {id: (row["text"], row["calls"]) for id, row in found.items()} == {
        "notes:1": ("gout.", 1),
        "notes:2": ("well.", 1),
        "notes:3": ("fever and wrist.", 3),
    }
    assert {row["finish_reason"] for row in found.values()} == {"stop"}
    assert {row["truncated_tokens"] for row in found.values()} == {0}
    assert all(row["is_generated"] and row["score"] < 0 for row in found.values())
    assert {(row["prompt"], row["prompt_version"]) for row in found.values()} == {("brief", 1)}
    assert seen == sorted(seen)
    assert seen[-1] == 3


def test_an_item_does_not_depend_on_its_neighbours(taught, notes, brief):
    request = ask(taught, brief, temperature=1.5, seed=3)
    found = items(notes, request)
    worker = Summarize().load(request)

    def write(some: pl.DataFrame) -> dict[str, dict[str, object]]:
        rows = summaries(worker.carry_out(some, lambda done: None))
        for row in rows.values():
            row["score"] = round(row["score"], 4)  # batches of another shape are summed otherwise
        return rows

    together = write(found)
    assert write(found.reverse()) == together
    alone = [write(found[row]) for row in range(len(found))]
    assert {id: row for rows in alone for id, row in rows.items()} == together
    others = Summarize().load(ask(taught, brief, temperature=1.5, seed=4))
    again = summaries(others.carry_out(found, lambda done: None))
    assert [row["text"] for row in again.values()] != [row["text"] for row in together.values()]


def test_a_bound_on_new_tokens_cuts_off_and_says_so(taught, notes, brief):
    request = ask(taught, brief, "document_id = 'notes:3'", max_new_tokens=1)
    (row,) = summaries(
        Summarize().load(request).carry_out(items(notes, request), lambda done: None)
    ).values()
    assert row["finish_reason"] == "length"
    assert row["completion_tokens"] == row["calls"]


def test_bare_models_go_on_with_texts_and_chat_models_are_asked(taught, sampled, tmp_path):
    request = ask(taught)
    made = Summarize().identify(request)
    assert (made.prompt, made.prompt_version) == (None, None)
    prompts = json.loads(made.parameters)["prompts"]
    assert {kind: prompt["name"] for kind, prompt in prompts.items()} == {
        "abstract": "abstract-continuation",
        "article": "article-continuation",
        "note": "note-continuation",
    }
    assert prompts["note"]["sha256"] == load_template("note-continuation").sha256
    assert len(made.prompt_sha256) == 64

    chat = make_gpt2(tmp_path / "chat")
    config = json.loads((chat / "tokenizer_config.json").read_text("utf-8"))
    config["chat_template"] = "{% for m in messages %}{{ m['content'] }}\n{% endfor %}"
    (chat / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    names = json.loads(Summarize().identify(ask(chat)).parameters)["prompts"]
    assert {prompt["name"] for prompt in names.values()} == {
        "abstract-summary",
        "article-summary",
        "note-summary",
    }


def test_notes_and_abstracts_of_the_sample_are_summarised_whole_by_kind(sampled, tmp_path):
    model = make_gpt2(tmp_path / "random", context=256)
    where = "document_id != 'notes:N0003' AND (kind = 'note' OR length(text) < 1500)"
    request = ask(model, where=where, max_new_tokens=4)
    found = items(sampled, request)[::6]
    rows = summaries(Summarize().load(request).carry_out(found, lambda done: None))
    assert len(rows) == len(found)
    names = {(row["item_id"].startswith("notes:"), row["prompt"]) for row in rows.values()}
    assert names == {(True, "note-continuation"), (False, "abstract-continuation")}
    assert {row["truncated_tokens"] for row in rows.values()} == {0}
    assert max(row["calls"] for row in rows.values()) > 3
