"""Answers judged: a model that was taught them is right, one that was not is near chance."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from flows.errors import CharthouseError, SourceError, UsageError
from flows.evaluating.asked import MULTIPLE_CHOICE, YES_NO_MAYBE, Asked
from flows.evaluating.choices import Chosen, score_choices
from flows.evaluating.evaluation import Evaluation
from flows.evaluating.report import as_json
from flows.evaluating.run import evaluate
from flows.evaluating.store import store_evaluation
from flows.questions.file import read_questions
from nlp.qa.question import YES_NO_MAYBE as OPTIONS
from nlp.qa.question import Question
from nlp.qa.styles import find_style
from tests.flows.evaluating.requests import request
from tests.language_models import make_gpt2, teach

ORGANS = ("liver", "spleen", "kidney", "heart", "lung", "brain", "skin", "bone")
LETTERS = "ABCD"


def write_mmlu(path: Path, seed: int, count: int = 8) -> Path:
    """Invented questions: a made-up drug, four organs, a random one of them right."""
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        drug = "".join(draw.choices("bcdfglmnprst", k=3) + draw.choices("aeiou", k=2))
        rows.append(f"{drug}?,{','.join(draw.sample(ORGANS, 4))},{draw.choice(LETTERS)}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model, and the file whose answers it was taught."""
    root = tmp_path_factory.mktemp("taught")
    path = write_mmlu(root / "organs_test.csv", seed=1)
    style = find_style("mmlu")
    texts = [
        f"{style.describe(q)}{style.ask(q)} {LETTERS[q.answer or 0]}"
        for q in read_questions(path).questions
    ]
    model = make_gpt2(root / "model", texts, context=128)
    teach(model, texts, steps=170)
    return model, path


def judge(model: Path, *files: Path, task: str = MULTIPLE_CHOICE, **values: Any) -> Evaluation:
    limit = values.pop("limit", None)
    asked = Asked(task, str(model), **values)
    return evaluate("qa", request(*files, asked=asked, limit=limit), prefect=False, quiet=True)


def figures(evaluation: Evaluation, scope: str = "likelihood") -> dict[tuple[str, str], float]:
    (judgement,) = evaluation.corpora
    return {(s.label, s.measure): s.value for s in judgement.scores if s.scope == scope}


def test_what_was_taught_is_known_and_what_was_not_is_guessed(
    taught: tuple[Path, Path], tmp_path: Path
) -> None:
    model, path = taught
    known = judge(model, path)
    assert figures(known)["organs", "accuracy"] == 1.0
    assert figures(known)["organs", "chance"] == 0.25
    (identity,) = known.models
    assert identity.name == "model"
    new = write_mmlu(tmp_path / "organs_dev.csv", seed=2, count=60)
    assert figures(judge(model, new))["organs", "accuracy"] < 0.5


def test_predictions_hold_no_text(taught: tuple[Path, Path]) -> None:
    model, path = taught
    (judgement,) = judge(model, path, limit=5).corpora
    frame = judgement.predictions
    gold = [q.answer for q in read_questions(path).questions[:5]]
    assert frame["question_id"].to_list() == ["1", "2", "3", "4", "5"]
    assert frame["gold"].to_list() == frame["chosen"].to_list() == gold
    for scores, chosen in zip(frame["scores"], frame["chosen"], strict=True):
        values = [float(value) for value in scores.split(",")]
        assert values.index(max(values)) == chosen
    assert not any(organ in frame.write_csv() for organ in ORGANS)


def test_scores_are_stored(taught: tuple[Path, Path], tmp_path: Path) -> None:
    model, path = taught
    evaluation = judge(model, path)
    rows = store_evaluation(tmp_path / "w.duckdb", evaluation)
    assert rows == len(evaluation.corpora[0].scores) > 0
    said = as_json(evaluation)
    assert said["settings"]["asked"]["task"] == MULTIPLE_CHOICE
    assert {score["scope"] for score in said["corpora"][0]["scores"]} == {"likelihood"}


def test_options_words_are_scored_where_asked_for(taught: tuple[Path, Path]) -> None:
    model, path = taught
    evaluation = judge(model, path, style="text")
    scopes = {score.scope for score in evaluation.corpora[0].scores}
    assert scopes == {"likelihood", "likelihood_per_character", "likelihood_per_byte"}


def test_examples_must_be_others(taught: tuple[Path, Path], tmp_path: Path) -> None:
    model, path = taught
    with pytest.raises(CharthouseError, match="shown with their answers"):
        judge(model, path, shots=1, shots_from=path)
    with pytest.raises(UsageError, match="belong together"):
        judge(model, path, shots=1)
    others = write_mmlu(tmp_path / "others.csv", seed=3, count=2)
    with pytest.raises(SourceError, match="--shots asks for 3"):
        judge(model, path, shots=3, shots_from=others)
    asked = judge(model, path, shots=1, shots_from=others).request.described()["asked"]
    assert asked["shots"] == 1
    assert len(asked["shots_sha256"]) == 64


def test_a_file_of_another_task(taught: tuple[Path, Path], data_dir: Path) -> None:
    model, path = taught
    with pytest.raises(SourceError, match="--task multiple_choice"):
        judge(model, path, task=YES_NO_MAYBE)
    with pytest.raises(SourceError, match="--task yes_no_maybe"):
        judge(model, data_dir / "questions" / "pubmedqa_dev.json.gz")


def test_yes_no_maybe_on_pubmedqa(taught: tuple[Path, Path], data_dir: Path) -> None:
    path = data_dir / "questions" / "pubmedqa_dev.json.gz"
    evaluation = judge(taught[0], path, task=YES_NO_MAYBE, limit=20)
    (judgement,) = evaluation.corpora
    assert judgement.facts["cut_contexts"] == 20  # abstracts are longer than 128 tokens
    assert any("did not fit: 20" in note for note in judgement.notes)
    accuracy = figures(evaluation)["micro", "accuracy"]
    by_answer = figures(evaluation, "likelihood_by_answer")
    frame: pl.DataFrame = judgement.predictions
    assert accuracy == (frame["gold"] == frame["chosen"]).mean()
    f1 = [by_answer[answer, "f1"] for answer in OPTIONS]
    assert by_answer["macro", "f1"] == pytest.approx(sum(f1) / 3)


def test_unanswered_questions_are_left_out(taught: tuple[Path, Path], tmp_path: Path) -> None:
    entry = {"QUESTION": "Does it?", "CONTEXTS": ["Tea."]}
    entries = {"1": entry, "2": entry | {"final_decision": "no"}}
    path = tmp_path / "some.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    (judgement,) = judge(taught[0], path, task=YES_NO_MAYBE).corpora
    assert (judgement.documents, judgement.facts["unanswered"]) == (1, 1)
    path.write_text(json.dumps({"1": entry}), encoding="utf-8")
    with pytest.raises(SourceError, match="no question has an answer"):
        judge(taught[0], path, task=YES_NO_MAYBE)


def test_endpoints_tell_no_likelihoods(taught: tuple[Path, Path]) -> None:
    with pytest.raises(CharthouseError, match="endpoint"):
        judge(Path("endpoint:big"), taught[1])


def test_a_trained_head_chooses(taught: tuple[Path, Path], tmp_path: Path) -> None:
    base, path = taught
    folder = tmp_path / "head"
    network = AutoModelForSequenceClassification.from_pretrained(base, num_labels=1)
    network.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    (judgement,) = judge(folder, path).corpora
    assert {score.scope for score in judgement.scores} == {"head"}
    assert judgement.predictions["chosen_per_byte"].to_list() == [None] * judgement.documents
    for values in ({"style": "text"}, {"harness": True}):
        with pytest.raises(CharthouseError, match="knows one way to be asked"):
            judge(folder, path, **values)


def decisions(gold: str, chosen: str) -> Chosen:
    """Questions by the first letters of right and chosen answers."""
    index = {word[0]: number for number, word in enumerate(OPTIONS)}
    questions = [Question(str(n), "q", OPTIONS, index[g]) for n, g in enumerate(gold)]
    return Chosen("head", questions, [index[c] for c in chosen])


def test_f1_of_answers_is_scikit_learns() -> None:
    from sklearn.metrics import f1_score, precision_score, recall_score

    gold, chosen = "yyyynnnmym", "yynynnyymn"
    scores = score_choices(decisions(gold, chosen), resamples=200, seed=0)
    found = {(s.scope, s.label, s.measure): s for s in scores}
    for measure, theirs in (
        ("f1", f1_score),
        ("precision", precision_score),
        ("recall", recall_score),
    ):
        macro = found["head_by_answer", "macro", measure]
        wanted = theirs(list(gold), list(chosen), average="macro", zero_division=0)
        assert macro.value == pytest.approx(wanted)
        assert 0 <= macro.low <= macro.value <= macro.high <= 1
    assert found["head", "micro", "accuracy"].value == 0.5
    assert found["head", "micro", "majority"].value == 0.5
    assert found["head", "micro", "chance"].value == pytest.approx(1 / 3)


def test_accuracy_by_subject() -> None:
    questions = [
        Question("1", "q", ("a", "b"), 0, subject="skin"),
        Question("2", "q", ("a", "b"), 1, subject="skin"),
        Question("3", "q", ("a", "b", "c", "d"), 3, subject="bone"),
        Question("4", "q", ("a", "b", "c", "d"), 3, subject="bone"),
    ]
    scores = score_choices(Chosen("likelihood", questions, [0, 0, 3, 3]), resamples=50, seed=0)
    values = {(s.label, s.measure): s.value for s in scores}
    assert values == {
        ("bone", "accuracy"): 1.0,
        ("bone", "majority"): 1.0,
        ("bone", "chance"): 0.25,
        ("skin", "accuracy"): 0.5,
        ("skin", "majority"): 0.5,
        ("skin", "chance"): 0.5,
        ("micro", "accuracy"): 0.75,
        ("micro", "majority"): 0.75,
        ("micro", "chance"): 0.375,
    }


@pytest.mark.slow
def test_the_command(taught: tuple[Path, Path], tmp_path: Path) -> None:
    model, path = taught
    predictions = tmp_path / "p.tsv"
    command = [sys.executable, "-m", "flows.cli", "evaluate", "qa", "--dataset", str(path)]
    command += ["--model", str(model), "--json", "--predictions", str(predictions)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (corpus,) = json.loads(done.stdout)["corpora"]
    accuracy = [s for s in corpus["scores"] if s["measure"] == "accuracy"]
    assert {s["value"] for s in accuracy} == {1.0}
    assert pl.read_csv(predictions, separator="\t").height == 8
