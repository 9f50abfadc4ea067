"""``charthouse evaluate`` as a user calls it: tables, JSON, predictions, warehouse, Prefect."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from flows.cli.main import app
from flows.errors import CharthouseError
from flows.evaluating.gold import read_corpora
from flows.warehouse.connection import open_warehouse, read_warehouse
from nlp.ner.source import find_model, model_fingerprint
from tests.flows.conftest import Bench
from tests.flows.evaluating.requests import pubtator, request
from tests.flows.runs import charthouse, query

MARKER = "Zebrafinchitis"
"""A word that stands in a gold document of these tests and nowhere else."""


def evaluate(*arguments: str | Path) -> Result:
    """Call the command in this process; whatever it raises is raised."""
    result = CliRunner().invoke(
        app, ["evaluate", *map(str, arguments)], catch_exceptions=False, env={"COLUMNS": "120"}
    )
    assert result.exit_code == 0, result.output
    return result


def evaluated(*arguments: str | Path) -> dict[str, Any]:
    """Its JSON, which is all that stands on standard output."""
    printed: dict[str, Any] = json.loads(evaluate(*arguments, "--json").stdout)
    return printed


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    return pubtator(
        tmp_path / "ward.txt",
        ("1", "Asthma and fever.", [("Asthma", "Disease", "D001249"), ("fever", "Disease", "-1")]),
        ("2", f"{MARKER} after aspirin.", [("aspirin", "Chemical", "D001241")]),
    )


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARTHOUSE_CACHE", str(tmp_path / "cache"))


def test_ner_scores_can_be_told_from_predictions_and_gold(data_dir: Path, tmp_path: Path) -> None:
    """Scored again from the file by other code, the predictions give the same figures."""
    path = data_dir / "corpora" / "bc5cdr_dev.pubtator.gz"
    out = tmp_path / "found.tsv"
    said = evaluated("ner", path, "--limit", "4", "--resamples", "50", "--predictions", out)
    (judgement,) = said["corpora"]
    assert (judgement["documents"], judgement["rejected"]) == (4, 0)
    assert judgement["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert said["models"] == [
        {"name": "bundled", "fingerprint": model_fingerprint(find_model("bundled"))}
    ]
    found = {
        (r["document_id"], int(r["start_char"]), int(r["end_char"]), r["label"]) for r in rows(out)
    }
    assert all(0 <= float(row["score"]) <= 1 for row in rows(out))
    (corpus,) = read_corpora([path], request(path).label_rules, 4)
    wanted = {
        (document_id, m.start_char, m.end_char, m.label)
        for document_id, document in corpus.documents.items()
        for m in document.mentions
    }
    for score in judgement["scores"]:
        if score["scope"] == "strict":
            labels = {score["label"]} if score["label"] != "micro" else set(corpus.labels)
            g = {row for row in wanted if row[3] in labels}
            f = {row for row in found if row[3] in labels}
            assert (score["gold"], score["found"], score["agreed"]) == (len(g), len(f), len(g & f))
            by = {"precision": len(f), "recall": len(g), "f1": (len(f) + len(g)) / 2}
            assert score["value"] == pytest.approx(len(g & f) / by[score["measure"]])
            assert score["low"] <= score["value"] <= score["high"]
    strict, relaxed = (
        {(s["label"], s["measure"]): s["value"] for s in judgement["scores"] if s["scope"] == scope}
        for scope in ("strict", "relaxed")
    )
    assert strict.keys() == relaxed.keys()
    assert all(relaxed[key] >= value for key, value in strict.items())


def test_tables_show_relaxed_scores_only_when_asked(gold: Path) -> None:
    shown = evaluate("ner", gold, "--resamples", "5", "--relaxed").output
    assert "ward: strict spans, 2 documents" in shown
    assert "ward: overlapping spans" in shown
    assert "overlapping" not in evaluate("ner", gold, "--resamples", "5").output


def test_a_label_that_no_model_finds_is_told(gold: Path) -> None:
    said = evaluated("ner", gold, "--label-map", "Chemical=Weather", "--resamples", "5")
    (note,) = said["corpora"][0]["notes"]
    assert "no model at hand finds Weather" in note
    micro = [s for s in said["corpora"][0]["scores"] if s["label"] == "Weather"]
    assert all((s["gold"], s["found"], s["value"]) == (1, 0, 0.0) for s in micro)


def test_found_labels_are_judged_as_others(gold: Path) -> None:
    said = evaluated(
        "ner", gold, "--label-map", "Chemical=Disease", "--found-map", "Chemical=Disease",
        "--resamples", "5",
    )  # fmt: skip
    assert said["settings"]["found_map"] == ["Chemical=Disease"]
    assert {s["label"] for s in said["corpora"][0]["scores"]} == {"Disease", "micro"}


def test_the_same_call_gives_the_same_figures(gold: Path, cache: None) -> None:
    call = ("linking", gold, "--ontology", "sample", "--seed", "3", "--resamples", "40")
    assert evaluated(*call)["corpora"] == evaluated(*call)["corpora"]


def test_concepts_tell_models_linkset_and_store(gold: Path, cache: None, tmp_path: Path) -> None:
    out = tmp_path / "found.tsv"
    said = evaluated("concepts", gold, "--ontology", "sample", "--predictions", out)
    assert said["attribution"] == "MeSH: U.S. National Library of Medicine"
    assert said["linkset_id"].startswith("ls-")
    assert said["annotation_id"] and said["models"]
    assert {s["scope"] for s in said["corpora"][0]["scores"]} == {"document", "mention"}
    assert list(rows(out)[0]) == [
        "document_id", "start_char", "end_char", "label", "score", "rank", "concept_id", "method",
        "status",
    ]  # fmt: skip


def test_abbreviations_can_be_scored_by_others(tmp_path: Path) -> None:
    gold, out, warehouse = (tmp_path / name for name in ("pairs.txt", "p.tsv", "w.duckdb"))
    gold.write_text("7\nHeart rate (HR).\n  HR|Heart rate\n  XY|no such\n", encoding="utf-8")
    said = evaluated("abbreviations", gold, "--predictions", out, "--warehouse", warehouse)
    assert (said["task"], said["models"], said["annotation_id"]) == ("abbreviations", [], None)
    recall = {s["value"] for s in said["corpora"][0]["scores"] if s["measure"] == "recall"}
    assert recall == {0.5}
    assert rows(out) == [{"pmid": "7", "short_form": "HR", "long_form": "Heart rate"}]
    kept = query(warehouse, "SELECT DISTINCT task, scope, gold, found, agreed FROM evaluations")
    assert kept == [("abbreviations", "pairs", 2, 1, 1)]
    assert "short forms with their long forms" in evaluate("abbreviations", gold).output


def test_assertion_can_be_scored_by_others(tmp_path: Path) -> None:
    gold, out, warehouse = (tmp_path / name for name in ("judged.tsv", "p.tsv", "w.duckdb"))
    gold.write_text("7\tfever\tNo FEVER.\tNegated\tRecent\tPatient\n", encoding="utf-8")
    said = evaluated("assertion", gold, "--predictions", out, "--warehouse", warehouse)
    assert (said["task"], said["models"][0]["name"]) == ("assertion", "rules")
    assert rows(out) == [
        {
            "line": "7",
            "negated": "true",
            "uncertain": "false",
            "historical": "false",
            "hypothetical": "false",
            "experiencer": "patient",
        }
    ]
    kept = query(warehouse, "SELECT DISTINCT task, scope, models FROM evaluations")
    assert kept == [("assertion", "attributes", ["rules"])]
    assert "what is said of concepts" in evaluate("assertion", gold, "--method", "rules").output


def test_scores_are_kept_in_a_warehouse(gold: Path, cache: None, tmp_path: Path) -> None:
    warehouse = tmp_path / "w.duckdb"
    call = ("linking", gold, "--ontology", "sample", "--warehouse", warehouse)
    said = [evaluated(*call) for _ in range(2)]
    with read_warehouse(warehouse) as connection:
        connection.execute("FROM evaluations ORDER BY evaluated_at, scope, label, measure")
        names = [column[0] for column in connection.description or []]
        kept = [dict(zip(names, row, strict=True)) for row in connection.fetchall()]
    scores = [score for its in said for score in its["corpora"][0]["scores"]]
    assert len(kept) == len(scores)
    assert {row["evaluation_id"] for row in kept} == {its["evaluation_id"] for its in said}
    told = {(s["scope"], s["label"], s["measure"]): s for s in scores}
    for row in kept:
        assert row["corpus"] == "ward"
        assert row["corpus_sha256"] == hashlib.sha256(gold.read_bytes()).hexdigest()
        assert (row["task"], row["documents"], row["models"]) == ("linking", 2, [])
        assert row["linkset_id"] == said[0]["linkset_id"]
        assert json.loads(row["settings"])["resamples"] == 1000
        score = told[row["scope"], row["label"], row["measure"]]
        for name in ("value", "low", "high", "gold", "found", "agreed"):
            assert row[name] == score[name]


def test_a_warehouse_from_before_gets_the_table(gold: Path, cache: None, tmp_path: Path) -> None:
    warehouse = tmp_path / "w.duckdb"
    with open_warehouse(warehouse) as connection:
        connection.execute("DROP TABLE evaluations")
    evaluate("linking", gold, "--ontology", "sample", "--warehouse", warehouse)
    ((count, meanings),) = query(
        warehouse,
        "SELECT (SELECT count(*) FROM evaluations), count(comment) FROM duckdb_columns() "
        "WHERE table_name = 'evaluations'",
    )
    assert count and meanings == 22


def test_mentions_of_a_warehouse_are_judged_as_they_stand(bench: Bench, tmp_path: Path) -> None:
    """The rule that annotates here takes the first word of a document for its one mention."""
    gold = pubtator(
        tmp_path / "ward.txt",
        ("1", "Asthma and fever.", [("Asthma", "Disease", ""), ("fever", "Disease", "")]),
        ("2", "Severe gout.", [("gout", "Disease", "")]),
        ("3", "Gout it is.", [("Gout", "Disease", "")]),
    )
    bench.run(gold)
    with open_warehouse(bench.warehouse) as connection:
        connection.execute(
            "INSERT INTO annotation_sets VALUES (?, ['rule'], ?, now()::TIMESTAMP)",
            [bench.annotation_id, json.dumps({"models": [["rule", "f00"]]})],
        )
    said = evaluated("ner", gold, "--from-warehouse", bench.warehouse)
    assert said["annotation_id"] == bench.annotation_id
    assert said["models"] == [{"name": "rule", "fingerprint": "f00"}]
    recall = next(s for s in said["corpora"][0]["scores"] if s["measure"] == "recall")
    assert (recall["gold"], recall["found"], recall["agreed"]) == (4, 3, 2)
    pubtator(gold, ("1", "Asthma or fever.", [("fever", "Disease", "")]), ("9", "Gout.", []))
    with pytest.raises(CharthouseError, match=r"holds 1 of the 2 documents .*, 0 of them with"):
        evaluate("ner", gold, "--from-warehouse", bench.warehouse)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["ner", "nowhere.txt"], "nowhere.txt"),
        (["ner", "GOLD", "--label-map", "Disease"], "label map Disease"),
        (["ner", "GOLD", "--label-map", "Diseases=Disease"], "label Diseases"),
        (["ner", "GOLD", "--found-map", "=x"], "label map =x"),
        (["ner", "GOLD", "--model", "nowhere"], "model nowhere"),
        (["ner", "GOLD", "--from-warehouse", "nowhere.duckdb"], "nowhere.duckdb does not exist"),
        (["ner", "GOLD", "--predictions", "nowhere/p.tsv"], "Create nowhere first"),
        (["ner", "GOLD", "--warehouse", "nowhere/w.duckdb"], "Create nowhere first"),
        (["ner", "GOLD", "GOLD"], "both named corpus ward"),
        (["linking", "GOLD", "--ontology", "nowhere"], "nowhere"),
        (["ner", "GOLD", "--config", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_bad_input_is_named(gold: Path, arguments: list[str], named: str) -> None:
    with pytest.raises(CharthouseError) as caught:
        evaluate(*(str(gold) if argument == "GOLD" else argument for argument in arguments))
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_warehouse_and_a_model_are_not_judged_together(gold: Path) -> None:
    result = CliRunner().invoke(
        app, ["evaluate", "ner", str(gold), "--model", "bundled", "--from-warehouse", "w"]
    )
    assert result.exit_code == 2


@pytest.mark.slow
def test_prefect_sees_a_flow_run_and_neither_text_nor_file_names(
    gold: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.tsv"
    gold = gold.rename(tmp_path / "quokkas.txt")
    done = charthouse(
        tmp_path, "evaluate", "linking", gold, "--ontology", "sample", "--prefect",
        "--predictions", out,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "quokkas: gold mentions with a concept" in done.stdout
    for written in (done.stdout, done.stderr, out.read_text("utf-8")):
        assert MARKER not in written
    database = tmp_path / "prefect" / "prefect.db"
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        ((state, parameters),) = connection.execute(
            "SELECT r.state_type, r.parameters FROM flow_run r JOIN flow f ON f.id = r.flow_id "
            "WHERE f.name = 'charthouse-evaluate'"
        ).fetchall()
    assert state == "COMPLETED"
    assert set(json.loads(parameters)) == {"task", "evaluation_id"}
    for file in database.parent.glob("prefect.db*"):
        content = file.read_bytes()
        assert MARKER.encode() not in content
        assert b"quokkas" not in content


def test_an_error_in_a_flow_is_told_in_one_line(
    gold: Path, tmp_path: Path, prefect_address: str
) -> None:
    order = ("evaluate", "linking", gold, "--ontology", tmp_path / "nowhere", "--prefect")
    done = charthouse(tmp_path, *order, PREFECT_API_URL=prefect_address)
    assert done.returncode == 1
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr
