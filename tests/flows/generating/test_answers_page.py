"""docs/answers.md: its queries, on answers that were stored."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import polars as pl
import pytest

from flows.generating.answer_items import answer_items
from flows.generating.answer_worker import AnswerWorker
from flows.generating.task import GenerationRequest, GenerationSet
from flows.settings import Settings
from flows.warehouse.connection import open_warehouse
from nlp.generation.completion import Sampling
from nlp.generation.template import load_template
from tests.flows.generating.test_answering import Citing
from tests.flows.retrieval.conftest import searched_warehouse

__all__ = ["searched_warehouse"]

PAGE = Path(__file__).resolve().parents[3] / "docs" / "answers.md"
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def answered(searched_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse with answers of two models: one cites, one makes numbers up."""
    path = tmp_path_factory.mktemp("answered") / "w.duckdb"
    path.write_bytes(searched_warehouse.read_bytes())
    request = GenerationRequest("answer", Settings(), questions=(("q1", "Any heart attack?"),))
    template = load_template("cited-answer")
    with open_warehouse(path) as connection:
        items = pl.concat(answer_items(connection, request, with_passages=True))
        for name, says in (("a", "Yes [2]."), ("b", "Yes [8].")):
            made = GenerationSet(f"gen-{name}", "answer", name, "f", "cited-answer", 1, "s", "{}")
            worker = AnswerWorker(made, template, Citing(says=says), Sampling(), {})
            for table, frame in worker.carry_out(items, lambda done: None).frames.items():
                connection.register("made", frame)
                connection.execute(f"INSERT INTO {table} BY NAME FROM made")
                connection.unregister("made")
    return path


def rows(path: Path, number: int) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(QUERIES[number]).fetchall()


def test_answers_with_their_sources(answered: Path) -> None:
    found = [row for row in rows(answered, 0) if row[1] == "Yes [2]."]
    assert [(number, cited) for _, _, number, cited, _, _ in found] == [
        (1, False),
        (2, True),
        (3, False),
    ]
    assert all("heart attack" in str(row[5]) or "infarction" in str(row[5]) for row in found)


def test_answers_without_sound_citations(answered: Path) -> None:
    assert rows(answered, 1) == [("question:q1", "Yes [8].", 1)]


def test_two_models(answered: Path) -> None:
    assert rows(answered, 2) == [("Any heart attack?", "a", "Yes [2].", "b", "Yes [8].")]
