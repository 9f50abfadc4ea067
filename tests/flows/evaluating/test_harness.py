"""Our scores are those of EleutherAI's lm-evaluation-harness, by its own task files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from flows.errors import CharthouseError
from flows.evaluating.asked import Asked
from flows.evaluating.beside import largest_difference
from flows.evaluating.harness import HarnessFile, check_harness, run_harness
from flows.evaluating.run import evaluate
from flows.questions.file import read_questions
from nlp.generation.source import find_text_model
from nlp.ner.device import choose_device
from nlp.qa.likelihood import LikelihoodScorer
from nlp.qa.question import Question
from nlp.qa.scorer import load_scorer
from tests.flows.evaluating.requests import request
from tests.language_models import make_biogpt, make_gpt2

NATS = 5e-4
"""Sums of log-probabilities in fp32 may differ so far where another batch adds them up."""


@pytest.fixture
def questions(data_dir: Path) -> dict[str, tuple[Question, ...]]:
    folder = data_dir / "questions"
    return {
        "anatomy": read_questions(folder / "mmlu" / "anatomy_test.csv").questions,
        "pubmedqa": read_questions(folder / "pubmedqa_dev.json.gz").questions,
    }


@pytest.mark.slow
@pytest.mark.parametrize("make", [make_gpt2, make_biogpt])
def test_every_log_likelihood_is_the_harnesss(
    make: Callable[..., Path], questions: dict[str, tuple[Question, ...]], tmp_path: Path
) -> None:
    """All styles, with and without examples; most abstracts do not fit and are cut by both."""
    anatomy, pubmedqa = questions["anatomy"], questions["pubmedqa"]
    files = [
        HarnessFile("mmlu", anatomy[:100]),
        HarnessFile("mmlu", anatomy[:30], anatomy[130:132]),
        HarnessFile("medmcqa", anatomy[:30]),
        HarnessFile("medqa", anatomy[:30]),
        HarnessFile("text", anatomy[:50]),
        HarnessFile("pubmedqa", pubmedqa[:60]),
        HarnessFile("pubmedqa", pubmedqa[:10], pubmedqa[490:491]),
    ]
    texts = [f"{q.text} {' '.join(q.options)} Answer: A B C D yes no maybe" for q in anatomy[:40]]
    model = make(tmp_path / "model", texts, size=1200, context=512)
    device = choose_device("cpu", "fp32")
    theirs = run_harness(find_text_model(str(model)), device, files)
    scorer = load_scorer(str(model), device)
    assert isinstance(scorer, LikelihoodScorer)
    fitted = 0
    for file, result in zip(files, theirs, strict=True):
        asking = replace(scorer, style=file.style, shots=file.shots)
        ours = asking.scores(file.questions)
        assert largest_difference(ours, result) < NATS
        fitted += sum(its.cut_tokens == 0 for its in ours) if file.shots else 0
        for metric, chosen in (
            ("acc", [its.chosen for its in ours]),
            ("acc_norm", [its.chosen_per_character for its in ours]),
            ("acc_bytes", [its.chosen_per_byte for its in ours]),
        ):
            right = sum(c == q.answer for c, q in zip(chosen, file.questions, strict=True))
            assert right / len(file.questions) == result.metrics[metric][0]
    assert fitted > 0  # some questions were compared with their examples whole


@pytest.mark.slow
def test_its_figures_stand_beside_ours(data_dir: Path, tmp_path: Path) -> None:
    path = data_dir / "questions" / "mmlu" / "college_medicine_test.csv"
    model = make_gpt2(tmp_path / "model", context=512)
    asked = Asked("multiple_choice", str(model), harness=True)
    its = request(path, asked=asked, limit=20)
    (judgement,) = evaluate("qa", its, prefect=False, quiet=True).corpora
    values = {(s.scope, s.label, s.measure): s.value for s in judgement.scores}
    ours = values["likelihood", "micro", "accuracy"]
    assert values["harness", "micro", "acc"] == ours
    assert any("lm-evaluation-harness" in note for note in judgement.notes)


def test_what_it_has_no_task_for() -> None:
    question = Question("1", "q", ("a", "b", "c", "d", "e"), 0)
    with pytest.raises(CharthouseError, match="four options"):
        check_harness([HarnessFile("medqa", [question])])
    check_harness([HarnessFile("text", [question])])
    two = [replace(question, options=tuple("abcd"), subject=subject) for subject in ("x", "y")]
    check_harness([HarnessFile("medmcqa", two)])
    with pytest.raises(CharthouseError, match="of one subject"):
        check_harness([HarnessFile("mmlu", two)])
