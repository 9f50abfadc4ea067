"""Answers: what is asked, which passages are given, what is cited, and what is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.errors import CharthouseError, UsageError
from flows.generating.answer_items import read_item
from flows.generating.answer_worker import NOTHING_FOUND, AnswerWorker
from flows.generating.answering import Answer
from flows.generating.citations import find_citations
from flows.generating.questions import read_questions
from flows.generating.schema import ITEM_SCHEMA
from flows.generating.task import GenerationRequest, GenerationSet, Produced
from flows.generating.tasks import task_of
from flows.settings import Settings
from flows.warehouse.connection import Connection, open_warehouse
from nlp.generation.completion import STOP, Completion, Prompt, Sampling
from nlp.generation.template import load_template
from tests.flows.generating.scribe import Scribe
from tests.flows.retrieval.conftest import searched, searched_warehouse
from tests.language_models import make_gpt2, teach

__all__ = ["searched", "searched_warehouse"]

QUESTIONS = (("q1", "Was there a heart attack?"), ("q2", "Does the patient smoke?"))


@dataclass
class Citing(Scribe):
    """Answers with the same words each time."""

    says: str = "Yes [1][3]. Also [2, 9]."
    asked: list[Prompt] = field(default_factory=list)

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, progress: object = None
    ) -> list[Completion]:
        super().generate(prompts, sampling)
        self.asked += prompts
        return [Completion(self.says, STOP, 10, 4) for _ in prompts]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_gpt2(tmp_path_factory.mktemp("models") / "small", context=512)


@pytest.fixture
def ask(model: Path) -> Callable[..., GenerationRequest]:
    def made(scope: str = "warehouse", **more: Any) -> GenerationRequest:
        generation = {"model": str(model)} | more.pop("generation", {})
        retrieval = more.pop("retrieval", {})
        settings = Settings(generation=generation, retrieval=retrieval)
        given = {"questions": QUESTIONS, "scope": scope} | more
        return GenerationRequest("answer", settings, **given)

    return made


def items_of(connection: Connection, request: GenerationRequest) -> pl.DataFrame:
    return pl.concat(Answer().items(connection, request))


MADE = GenerationSet("gen-1", "answer", "m", "f", "cited-answer", 1, "s", "{}")


def answered(model: Scribe, items: pl.DataFrame, new: int = 20) -> Produced:
    template = load_template("cited-answer")
    worker = AnswerWorker(MADE, template, model, Sampling(max_new_tokens=new), {})
    return worker.carry_out(items, lambda done: None)


def test_task_is_known() -> None:
    assert task_of("answer").name == "answer"


def test_items_by_scope(searched: Connection, ask: Callable[..., GenerationRequest]) -> None:
    by_warehouse = items_of(searched, ask())
    assert by_warehouse["item_id"].to_list() == ["question:q1", "question:q2"]
    assert by_warehouse["document_id"].null_count() == 2
    by_person = items_of(searched, ask("person"))
    assert by_person["item_id"].to_list() == [
        "question:q1 person:A",
        "question:q2 person:A",
        "question:q1 person:B",
        "question:q2 person:B",
    ]
    assert by_person["person_id"].to_list() == ["A", "A", "B", "B"]
    by_document = items_of(searched, ask("document"))
    assert by_document["item_id"][0] == "question:q1 document:notes:1"
    assert by_document["document_id"].to_list()[::2] == [f"notes:{n}" for n in range(1, 5)]
    assert by_document["person_id"].to_list()[::2] == ["A", "A", "B", None]
    assert by_warehouse["person_id"].null_count() == 2
    for frame in (by_warehouse, by_person, by_document):
        assert frame.schema == pl.Schema(ITEM_SCHEMA)
        assert frame["item_id"].n_unique() == len(frame)


def test_condition_is_part_of_what_is_asked(
    searched: Connection, ask: Callable[..., GenerationRequest]
) -> None:
    where = "document_id != 'notes:1'"
    (chosen, _) = items_of(searched, ask(where=where))["item_id"].to_list()
    assert chosen.startswith("question:q1 where:")
    assert "notes" not in chosen
    whole = items_of(searched, ask("document"))
    part = items_of(searched, ask("document", where=where))
    assert whole.filter(pl.col("document_id") != "notes:1").equals(part)


def test_source_hash_follows_question_and_passages(
    searched_warehouse: Path, tmp_path: Path, ask: Callable[..., GenerationRequest]
) -> None:
    copy = tmp_path / "w.duckdb"
    copy.write_bytes(searched_warehouse.read_bytes())

    def hashes(request: GenerationRequest) -> dict[str, str]:
        with open_warehouse(copy) as connection:
            frame = items_of(connection, request)
        return dict(zip(frame["item_id"], frame["source_hash"], strict=True))

    before = hashes(ask("document"))
    assert hashes(ask("document")) == before
    other = hashes(ask("document", questions=(("q1", "Heart attacks?"), QUESTIONS[1])))
    assert {key for key in before if before[key] != other[key]} == {
        key for key in before if key.startswith("question:q1 ")
    }
    with open_warehouse(copy) as connection:
        connection.execute(
            "UPDATE documents SET text = 'Broken leg after a fall.' WHERE document_id = 'notes:4'"
        )
    after = hashes(ask("document"))
    assert {key for key in before if before[key] != after[key]} == {
        "question:q1 document:notes:4",
        "question:q2 document:notes:4",
    }


def test_rows_and_sources(searched: Connection, ask: Callable[..., GenerationRequest]) -> None:
    items = items_of(searched, ask(questions=QUESTIONS[:1]))
    (passages,) = (read_item(text).passages for text in items["input"])
    assert len(passages) == 3
    model = Citing()
    produced = answered(model, items)
    assert not produced.rejects
    (row,) = produced.frames["generations"].rows(named=True)
    assert row["text"] == model.says
    assert (row["question"], row["item_id"]) == (QUESTIONS[0][1], "question:q1")
    assert row["unparsed"] == 1  # the passage 9
    assert (row["calls"], row["truncated_tokens"], row["is_generated"]) == (1, 0, True)
    sources = produced.frames["generation_sources"]
    assert sources["number"].to_list() == [1, 2, 3]
    assert sources["is_cited"].to_list() == [True, True, True]
    assert sources["document_id"].to_list() == [p.document_id for p in passages]
    (prompt,) = model.asked
    for number, passage in enumerate(passages, start=1):
        assert f"[{number}] {' '.join(passage.text.split())}" in prompt.text
    assert QUESTIONS[0][1] in prompt.text


def test_passages_that_do_not_fit_are_left_out_from_the_worst_on(
    searched: Connection, ask: Callable[..., GenerationRequest]
) -> None:
    items = items_of(searched, ask(questions=QUESTIONS[:1]))
    whole = Citing(says="Only [1], not [3]")
    answered(whole, items)
    size = sum(len(text.split()) for text in (whole.asked[0].system, whole.asked[0].text))
    model = Citing(says="Only [1], not [3]", context=size + 48 + 20 - 1)
    produced = answered(model, items)
    (row,) = produced.frames["generations"].rows(named=True)
    sources = produced.frames["generation_sources"]
    assert sources["number"].to_list() == [1, 2]
    assert sources["is_cited"].to_list() == [True, False]
    assert row["unparsed"] == 1  # it was not given the third
    third = read_item(items["input"][0]).passages[2]
    assert row["truncated_tokens"] == len(third.text.split()) + 1
    assert third.text not in model.asked[0].text


def test_question_without_passages_is_a_reject(
    searched: Connection, ask: Callable[..., GenerationRequest]
) -> None:
    items = items_of(searched, ask(questions=(("z", "Zebra stripes?"), QUESTIONS[0])))
    model = Citing()
    produced = answered(model, items)
    assert produced.rejects == [(0, NOTHING_FOUND)]
    assert produced.frames["generations"]["item_id"].to_list() == ["question:q1"]
    assert len(model.asked) == 1


def test_one_answer_that_fails_is_a_reject_without_text(
    searched: Connection, ask: Callable[..., GenerationRequest]
) -> None:
    items = items_of(searched, ask())
    produced = answered(Citing(breaks_on="smoke"), items)
    ((row, reason),) = produced.rejects
    assert row == 1
    assert "quotes" not in reason and "smoke" not in reason
    assert produced.frames["generations"]["item_id"].to_list() == ["question:q1"]
    with pytest.raises(KeyError):
        answered(Citing(breaks_on="?"), items)


def test_set_follows_what_decides_answers(ask: Callable[..., GenerationRequest]) -> None:
    plain = Answer().identify(ask())
    assert plain.prompt == "cited-continuation"  # the model has no chat template
    assert json.loads(plain.parameters)["retrieval"]["passages"] == 5
    assert Answer().identify(ask("person")).generation_id == plain.generation_id
    for other in (
        ask(retrieval={"passages": 3}),
        ask(retrieval={"k1": 2}),
        ask(generation={"prompt": "cited-answer"}),
        ask(generation={"max_new_tokens": 7}),
    ):
        assert Answer().identify(other).generation_id != plain.generation_id


def test_door(ask: Callable[..., GenerationRequest]) -> None:
    for request, words in (
        (ask(questions=()), "no question"),
        (ask(questions=(("a b", "x"),)), "id that is none"),
        (ask(generation={"prompt": "note-summary"}), "is for the task summarize"),
        (ask(inputs={"question": "x"}), "is filled"),
        (ask(inputs={"tone": "x"}), "has no input tone"),
        (ask("person", generation={"prompt": "patient-answer"}), "takes no passages"),
        (replace(ask(), scope="ward"), "no scope ward"),
    ):
        with pytest.raises(UsageError, match=words):
            Answer().identify(request)


def test_patients_question_is_answered_without_sources(
    searched: Connection, ask: Callable[..., GenerationRequest], tmp_path: Path
) -> None:
    taught = make_gpt2(tmp_path / "taught")
    question = "Question: Can I take aspirin?\nAnswer:"
    teach(taught, [f"{question} Ask your doctor first."], steps=60)
    request = ask(
        questions=(("p1", "Can I take aspirin?"),),
        generation={"model": str(taught), "prompt": "patient-continuation", "device": "cpu"},
    )
    items = items_of(searched, request)
    assert items["item_id"].to_list() == ["question:p1"]
    produced = Answer().load(request).carry_out(items, lambda done: None)
    assert produced.frames["generations"]["text"].to_list() == ["Ask your doctor first."]
    assert len(produced.frames["generation_sources"]) == 0
    assert not produced.rejects


@pytest.mark.parametrize(
    ("text", "given", "unknown"),
    [
        ("Yes [1].", {1}, set()),
        ("Yes [1][2], [ 3 ; 4 ]", {1, 2, 3, 4}, set()),
        ("[2-4] and [1, 7]", {1, 2, 3, 4}, {7}),
        ("[0] [12] [1-9]", {1, 2, 3, 4, 5}, {0, 12, 9}),
        ("(1) [one] [] 1 [3.5] [1000000]", set(), set()),
        ("", set(), set()),
    ],
)
def test_citations(text: str, given: set[int], unknown: set[int]) -> None:
    found = find_citations(text, 5)
    assert (set(found.given), set(found.unknown)) == (given, unknown)


def test_question_files(tmp_path: Path) -> None:
    table = tmp_path / "q.csv"
    table.write_text('\ufeffquestion_id,topic,question\nq1,x,"Is it, so?"\n\nq2,y,"two\nlines"\n')
    assert read_questions(table) == [("q1", "Is it, so?"), ("q2", "two\nlines")]
    lines = tmp_path / "q.jsonl"
    lines.write_text(
        '{"question_id": 7, "question": "Why?"}\n\n{"question_id": "b", "question": "é"}\n'
    )
    assert read_questions(lines) == [("7", "Why?"), ("b", "é")]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("q.csv", "id,question\n1,secret\n", "line 1: the header has no question_id"),
        ("q.csv", "question_id,question\n1,secret\n1,secret\n", "line 3: .* twice"),
        ("q.csv", "question_id,question\n1,\n", "line 2: it has no question"),
        ("q.csv", "question_id,question\n1 2,secret\n", "line 2: .* white space"),
        ("q.csv", 'question_id,question\n1,"secret\n', "no CSV"),
        ("q.csv", "question_id,question\n", "there is none"),
        ("q.csv", "", "header has no question_id and no question"),
        ("q.jsonl", '{"question_id": 1, "question": "secret"\n', "line 1: it is no JSON object"),
        ("q.jsonl", '{"question_id": 1, "question": ["secret"]}\n', "line 1: it has no question"),
        ("q.csv", b"question_id,question\n1,\xff\n", "not UTF-8"),
    ],
)
def test_bad_question_files(tmp_path: Path, name: str, content: str | bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CharthouseError, match=words) as caught:
        read_questions(path)
    assert "secret" not in str(caught.value)


def test_missing_question_file(tmp_path: Path) -> None:
    with pytest.raises(CharthouseError, match="cannot be read"):
        read_questions(tmp_path / "none.csv")
