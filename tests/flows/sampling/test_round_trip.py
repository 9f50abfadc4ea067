"""From the warehouse to annotators and back: scores are those of what annotators changed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from flows.cli.main import app
from flows.errors import CharthouseError
from flows.evaluating.evaluation import Evaluation
from flows.evaluating.run import evaluate
from flows.evaluating.scores import Score
from flows.evaluating.store import store_evaluation
from flows.readers.drawn import Drawn, sidecar_of
from flows.readers.gold import read_gold_file
from flows.sampling.choices import Strategy
from flows.sampling.request import SampleRequest, form_of
from flows.sampling.sample import sample
from flows.training.corpora import DataRequest, read_data
from flows.warehouse.connection import open_warehouse
from tests.flows.conftest import Bench
from tests.flows.evaluating.requests import request
from tests.flows.sampling.conftest import Draw, described

MENTIONS = 72
"""In the warehouse."""

ROW = re.compile(r"^[^|\t\n]+\t\d+\t\d+\t.*$", re.MULTILINE)


def complete(path: Path) -> list[dict[str, Any]]:
    """Annotators accept what they are shown."""
    return complete_tasks(path.read_text(encoding="utf-8"))


def complete_tasks(content: str) -> list[dict[str, Any]]:
    """The same of a file's content."""
    tasks: list[dict[str, Any]] = json.loads(content)
    for task in tasks:
        task["annotations"] = [{"completed_by": 1, "result": task["predictions"][0]["result"]}]
    return tasks


def write(path: Path, tasks: object) -> Path:
    path.write_text(json.dumps(tasks), encoding="utf-8")
    return path


def judged(gold: Path, warehouse: Path, task: str = "ner", **values: Any) -> Evaluation:
    asked = request(gold, from_warehouse=warehouse, **values)
    return evaluate(task, asked, prefect=False, quiet=True)


def micro(evaluation: Evaluation, scope: str = "strict") -> dict[str, Score]:
    (judgement,) = evaluation.corpora
    return {s.measure: s for s in judgement.scores if (s.scope, s.label) == (scope, "micro")}


@pytest.mark.parametrize("name", ["s.json", "s.pubtator"])
def test_files_hold_the_warehouse_to_the_letter(draw: Draw, made_once: Bench, name: str) -> None:
    gold = draw(name, documents=25).files[0]
    if name == "s.json":
        write(gold, complete(gold))
    rows = made_once.query(
        "SELECT m.document_id, start_char, end_char, label, mention_text, concept_id "
        "FROM entities m ORDER BY ALL"
    )
    back = [
        (d.document_id, m.start_char, m.end_char, m.label, m.mention_text, *m.concept_ids)
        for d in read_gold_file(gold)
        for m in d.mentions
    ]
    assert sorted(back) == [row if row[-1] else row[:-1] for row in rows]


@pytest.mark.parametrize("name", ["s.json", "s.pubtator"])
def test_scores_are_exactly_those_of_what_was_removed(
    made_once: Bench, draw: Draw, name: str
) -> None:
    """Annotators strike k of the N mentions: precision (N - k) / N, recall 1."""
    sampled = draw(name, documents=25)
    path = sampled.files[0]
    content = path.read_text(encoding="utf-8")

    @given(removed=st.sets(st.integers(0, MENTIONS - 1), max_size=40))
    @settings(max_examples=2, deadline=None)
    def strikes(removed: set[int]) -> None:
        strike(path, content, removed)
        found = micro(judged(path, made_once.warehouse, resamples=1))
        left = MENTIONS - len(removed)
        assert (found["precision"].found, found["recall"].gold) == (MENTIONS, left)
        assert found["precision"].value == left / MENTIONS
        assert found["recall"].value == 1.0
        assert found["f1"].value == pytest.approx(2 * left / (MENTIONS + left))

    strikes()


def strike(path: Path, content: str, removed: set[int]) -> None:
    """Take mentions, counted as the file has them, out of a file."""
    if path.suffix == ".pubtator":
        rows = list(ROW.finditer(content))
        for number in sorted(removed, reverse=True):
            content = content[: rows[number].start()] + content[rows[number].end() + 1 :]
        path.write_text(content, encoding="utf-8")
        return
    tasks, at = complete_tasks(content), -1
    for task in tasks:
        kept = []
        for result in task["annotations"][0]["result"]:
            at += result["type"] == "labels"
            if at not in removed:
                kept.append(result)
        task["annotations"][0]["result"] = kept
    write(path, tasks)


def test_a_label_that_annotators_left_nothing_of_is_judged(draw: Draw, made_once: Bench) -> None:
    """They were asked for chemicals, and struck them all: each one found is wrong."""
    gold = draw(documents=25).files[0]
    tasks = complete(gold)
    for task in tasks:
        result = task["annotations"][0]["result"]
        task["annotations"][0]["result"] = [
            its for its in result if its["value"].get("labels") != ["Chemical"]
        ]
    (judgement,) = judged(write(gold, tasks), made_once.warehouse).corpora
    (precision,) = [
        s
        for s in judgement.scores
        if (s.scope, s.label, s.measure) == ("strict", "Chemical", "precision")
    ]
    assert (precision.gold, precision.found, precision.value) == (0, 3, 0.0)


def test_concepts_of_the_warehouse_are_judged(draw: Draw, made_once: Bench) -> None:
    gold = draw(documents=25).files[0]
    tasks = complete(gold)
    found = micro(judged(write(gold, tasks), made_once.warehouse, "concepts"), "mention")
    assert (found["f1"].value, found["coverage"].value) == (1.0, 1.0)
    linked = found["f1"].gold
    concepts = [
        r for t in tasks for r in t["annotations"][0]["result"] if r["from_name"] == "concept"
    ]
    assert len(concepts) == linked > 20
    for other in concepts[:5]:
        other["value"] = {"text": ["MESH:D000001"]}
    evaluation = judged(write(gold, tasks), made_once.warehouse, "concepts")
    found = micro(evaluation, "mention")
    assert found["precision"].value == found["recall"].value == (linked - 5) / linked
    assert found["coverage"].value == (linked - 5) / linked
    assert evaluation.linkset_id == "l1"


@pytest.mark.parametrize("name", ["s.json", "s.pubtator"])
def test_documents_that_changed_or_went_are_left_out(draw: Draw, stocked: Bench, name: str) -> None:
    gold = draw(name, documents=25).files[0]
    if name == "s.json":
        write(gold, complete(gold))
    with open_warehouse(stocked.warehouse) as connection:
        connection.execute("UPDATE documents SET text = text || ' x' WHERE native_id IN ('1', '7')")
        connection.execute("UPDATE documents SET is_deleted = true WHERE native_id = '2'")
    evaluation = judged(gold, stocked.warehouse)
    (judgement,) = evaluation.corpora
    assert judgement.documents == 25 - 5  # notes 1 and 2, papers 1, 2 and 7
    assert set(judgement.notes) == {
        "documents that the warehouse no longer holds, left out: 2",
        "documents whose text has changed, left out: 3",
        "of the 25 documents that were drawn, judged: 20",
    }
    assert micro(evaluation)["f1"].value == 1.0
    with open_warehouse(stocked.warehouse) as connection:
        connection.execute("UPDATE documents SET text = text || ' y'")
    with pytest.raises(CharthouseError, match="0 of them with the same text"):
        judged(gold, stocked.warehouse)


@pytest.mark.parametrize("name", ["s.json", "s.pubtator"])
def test_scores_are_stored_beside_the_run_with_the_sample(
    draw: Draw, stocked: Bench, name: str
) -> None:
    sampled = draw(name, documents=9, seed=3, strategy=Strategy.uncertain)
    gold = sampled.files[0]
    if name == "s.json":
        write(gold, complete(gold))
        sidecar_of(gold).unlink()  # tasks say it themselves
    evaluation = judged(gold, stocked.warehouse)
    assert any("drawn as uncertain" in note for note in evaluation.corpora[0].notes)
    store_evaluation(stocked.warehouse, evaluation)
    rows = stocked.query("SELECT DISTINCT run_id, annotation_id, settings FROM evaluations")
    ((run_id, annotation_id, settings_),) = rows
    (latest,) = stocked.query("SELECT max(run_id) FROM document_annotations")
    assert (run_id, annotation_id) == (latest[0], "rule-1")
    assert json.loads(str(settings_))["sample"] == {
        "strategy": "uncertain", "seed": 3, "documents": 9, "labels": ["Chemical", "Disease"],
        "blind": False, "by": [], "restricted": False,
    }  # fmt: skip


def test_a_sidecar_that_says_nothing_is_refused(draw: Draw, made_once: Bench) -> None:
    gold = draw("s.pubtator", documents=9).files[0]
    sidecar_of(gold).write_text('{"strategy": 1}')
    with pytest.raises(CharthouseError, match=r"s\.pubtator\.sample\.json does not say"):
        judged(gold, made_once.warehouse)


def test_annotators_are_compared_with_each_other(draw: Draw, made_once: Bench) -> None:
    """Two of the same tasks, of whom the second marks nothing in one: F1 is 2a / (n + m)."""
    gold = draw(documents=25).files[0]
    tasks = complete(gold)
    shown = [
        len([r for r in t["annotations"][0]["result"] if r["type"] == "labels"]) for t in tasks
    ]
    for number, task in enumerate(tasks):
        result = task["annotations"][0]["result"] if number else []
        task["annotations"].append({"completed_by": 2, "result": result})
    (judgement,) = judged(write(gold, tasks), made_once.warehouse).corpora
    both, one = sum(shown[1:]), sum(shown)
    expected = f"agree with each other by F1 {200 * both / (both + one):.1f} (25 documents"
    assert any(expected in note for note in judgement.notes)


def test_real_gold_comes_back_as_it_is(data_dir: Path, tmp_path: Path) -> None:
    """Abstracts of BC5CDR: what annotators marked in a sample equals the corpus itself."""
    corpus = data_dir / "corpora" / "bc5cdr_dev.pubtator.gz"
    bench = Bench(tmp_path / "w.duckdb")
    bench.run(corpus, limit=12)
    with open_warehouse(bench.warehouse) as connection:
        described(connection)
    out = tmp_path / "tasks.json"
    (path, *_) = sample(
        SampleRequest(bench.warehouse, out, form_of(out, None), 6, blind=True)
    ).files
    documents = {f"bc5cdr_dev:{d.native_id}": d for d in read_gold_file(corpus)}
    tasks = json.loads(path.read_text(encoding="utf-8"))
    chosen = [documents[task["data"]["document_id"]] for task in tasks]
    for task, document in zip(tasks, chosen, strict=True):
        assert "predictions" not in task
        result = []
        for number, m in enumerate(document.mentions):
            value = {"start": m.start_char, "end": m.end_char}
            region = {"id": str(number), "to_name": "text"}
            labelled = {**value, "labels": [m.label], "text": m.mention_text}
            result.append({**region, "from_name": "label", "type": "labels", "value": labelled})
            concepts = {**value, "text": list(m.concept_ids)}
            result.append({**region, "from_name": "concept", "type": "textarea", "value": concepts})
        task["annotations"] = [{"completed_by": 1, "result": result}]
    back = list(read_gold_file(write(path, tasks)))
    for document, there in zip(chosen, back, strict=True):
        assert there.text == document.text
        assert set(there.mentions) == set(document.mentions)
        assert there.drawn == Drawn("random", 0, 6, ("Chemical", "Disease"), blind=True)
    # The rule of this warehouse finds the first word of each document.
    wanted = {
        (i, m.start_char, m.end_char, m.label) for i, d in enumerate(chosen) for m in d.mentions
    }
    first = {(i, 0, len(d.text.split()[0]), "Disease") for i, d in enumerate(chosen)}
    precision = micro(judged(path, bench.warehouse))["precision"]
    assert (precision.found, precision.agreed) == (6, len(first & wanted))


def test_links_of_the_warehouse_are_judged_alone(draw: Draw, made_once: Bench) -> None:
    """Of the mentions that annotators left, each link that they changed is wrong."""
    gold = draw(documents=25).files[0]
    tasks = complete(gold)
    concepts = [
        r for t in tasks for r in t["annotations"][0]["result"] if r["from_name"] == "concept"
    ]
    for other in concepts[:6]:
        other["value"] = {"text": ["MESH:D000001"]}
    moved = next(r for r in tasks[0]["annotations"][0]["result"] if r["type"] == "labels")
    moved["value"]["end"] -= 1
    del moved["value"]["text"]
    evaluation = judged(write(gold, tasks), made_once.warehouse, "linking")
    scores = micro(evaluation, "found")
    # The moved mention is the first of its document: one with a changed concept, or one without.
    linked = len(concepts) - any(r["id"] == moved["id"] for r in concepts[:1])
    wrong = 6 - (len(concepts) - linked)
    assert scores["accuracy@1"].gold == linked
    assert scores["accuracy@1"].value == scores["recall@5"].value == (linked - wrong) / linked
    assert scores["linked_accuracy"].value == scores["coverage"].value == (linked - wrong) / linked
    assert micro(evaluation, "found_in_store")["accuracy@1"].value == 1.0
    assert "gold mentions that the warehouse does not have, not judged: 1" in (
        evaluation.corpora[0].notes
    )


@pytest.mark.parametrize("options", [(), ("--ontology", "sample", "--from-warehouse", "w")])
@pytest.mark.parametrize("task", ["concepts", "linking"])
def test_either_a_warehouse_or_an_ontology_is_judged(task: str, options: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, ["evaluate", task, "gold.json", *options])
    assert done.exit_code == 2
    assert "--ontology" in done.output or "--from-warehouse" in done.output


@pytest.mark.parametrize("name", ["s.json", "s.pubtator"])
def test_what_comes_back_can_be_learnt_from(draw: Draw, name: str) -> None:
    gold = draw(name, documents=25).files[0]
    if name == "s.json":
        write(gold, complete(gold))
    data = read_data(DataRequest((gold,), dev_share=0.2))
    assert data.labels == ("Chemical", "Disease")
    both = [corpus.mentions() for corpus in (*data.train, *data.dev)]
    assert sum(sum(counts.values()) for counts in both) == MENTIONS
