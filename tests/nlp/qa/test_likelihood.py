"""Options scored by a causal model that was taught the answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nlp.ner.device import Device
from nlp.qa.errors import QuestionError
from nlp.qa.likelihood import LikelihoodScorer
from nlp.qa.question import YES_NO_MAYBE, Question
from nlp.qa.scorer import LIKELIHOOD, load_scorer
from nlp.qa.styles import find_style, read_styles
from tests.language_models import make_gpt2

ASKED = Question("1", "Which one?", ("red", "blue {text}", "green", "black"), 2, subject="eye_care")


def test_styles_render_what_the_harness_renders() -> None:
    mmlu = find_style("mmlu")
    assert mmlu.describe(ASKED) == (
        "The following are multiple choice questions (with answers) about eye care.\n\n"
    )
    assert mmlu.ask(replace(ASKED, text=" Which one? ")) == (
        "Which one?\nA. red\nB. blue {text}\nC. green\nD. black\nAnswer:"
    )
    assert mmlu.choices(ASKED) == ["A", "B", "C", "D"]
    asked = replace(ASKED, context="It was.\nIt is.", options=YES_NO_MAYBE)
    pubmedqa = find_style("pubmedqa")
    assert pubmedqa.ask(asked) == "Abstract: It was.\nIt is.\nQuestion: Which one?\nAnswer:"
    assert pubmedqa.choices(asked) == ["yes", "no", "maybe"]
    assert set(read_styles()) == {"mmlu", "medmcqa", "medqa", "pubmedqa", "text"}
    with pytest.raises(QuestionError, match="known are mmlu"):
        find_style("haiku")


def test_examples_stand_before_the_question(tmp_path: Path, cpu: Device) -> None:
    scorer = load_scorer(str(make_gpt2(tmp_path / "m")), cpu)
    assert isinstance(scorer, LikelihoodScorer)
    assert scorer.method == LIKELIHOOD
    prompt = replace(scorer, style="mmlu", shots=(ASKED,)).prompt(replace(ASKED, text="And now?"))
    assert prompt == (
        "The following are multiple choice questions (with answers) about eye care.\n\n"
        "Which one?\nA. red\nB. blue {text}\nC. green\nD. black\nAnswer: C\n\n"
        "And now?\nA. red\nB. blue {text}\nC. green\nD. black\nAnswer:"
    )
    with pytest.raises(QuestionError, match="no answer"):
        replace(scorer, shots=(replace(ASKED, answer=None),)).scores([ASKED])


def test_what_does_not_fit_is_counted(tmp_path: Path, cpu: Device) -> None:
    scorer = load_scorer(str(make_gpt2(tmp_path / "m", context=128)), cpu)
    short = Question("1", "Does it?", YES_NO_MAYBE, 0, context="Tea.")
    context = replace(short, context="Forty people drank tea. " * 20)
    question = replace(short, text="Does it, does it, does it? " * 20)
    fits, cut, torn = scorer.scores([short, context, question])
    assert (fits.cut_tokens, fits.cut_question) == (0, False)
    assert cut.cut_tokens > 0
    assert not cut.cut_question
    assert torn.cut_tokens > 0
    assert torn.cut_question
    # The beginning is what goes: another one changes nothing.
    other = replace(context, context="F" * 30 + context.context)
    assert scorer.scores([other])[0].log_probabilities == pytest.approx(cut.log_probabilities)


def test_lengths_decide_where_they_are_asked_for(tmp_path: Path, cpu: Device) -> None:
    scorer = load_scorer(str(make_gpt2(tmp_path / "m")), cpu, style="text")
    (found,) = scorer.scores([replace(ASKED, options=("é", "a long option of words"))])
    assert found.lengths == ((1, 2), (22, 22))
    assert found.chosen == 0
    a, b = found.log_probabilities
    assert found.chosen_per_byte == (0 if a / 2 >= b / 22 else 1)
    assert found.chosen_per_character == (0 if a >= b / 22 else 1)
