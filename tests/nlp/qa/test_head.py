"""Options scored by heads: the numbers are those of transformers' own classes."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMultipleChoice, AutoTokenizer

from nlp.ner.device import Device
from nlp.ner.errors import ModelError
from nlp.ner.source import ModelSource
from nlp.qa.encoding import OptionEncoder
from nlp.qa.errors import QuestionError
from nlp.qa.head import HeadScorer, load_tokenizer
from nlp.qa.layout import Layout, write_layout
from nlp.qa.question import YES_NO_MAYBE, Question
from nlp.qa.scorer import HEAD, find_scorer, load_scorer, scorer_fingerprint

QUESTIONS = (
    Question("1", "Which drug thins blood?", ("warfarin", "insulin", "iron", "zinc oxide"), 0),
    Question("2", "Does it help?", YES_NO_MAYBE, 1, context="Forty patients drank tea. " * 3),
    Question("3", "Which one?", ("a", "a much longer option than that one"), 0),
)
KINDS = ("gpt2", "biogpt", "bert", "bert_choice")


@pytest.mark.parametrize("kind", KINDS)
def test_each_option_has_a_share_whatever_is_beside_it(
    kind: str, heads: dict[str, Path], cpu: Device
) -> None:
    scorer = load_scorer(str(heads[kind]), cpu)
    assert scorer.method == HEAD
    together = scorer.scores(QUESTIONS)
    for question, its in zip(QUESTIONS, together, strict=True):
        assert len(its.log_probabilities) == len(question.options)
        shares = torch.tensor(its.log_probabilities).exp()
        assert float(shares.sum()) == pytest.approx(1, abs=1e-5)
        assert len({round(float(share), 4) for share in shares}) > 1  # options are told apart
        (alone,) = scorer.scores([question])
        assert alone.log_probabilities == pytest.approx(its.log_probabilities, abs=1e-5)


def test_multiple_choice_is_that_of_transformers(heads: dict[str, Path], cpu: Device) -> None:
    folder = heads["bert_choice"]
    question = QUESTIONS[0]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForMultipleChoice.from_pretrained(folder).eval()
    pairs = [[question.text, option] for option in question.options]
    batch = tokenizer(pairs, padding=True, return_tensors="pt")
    with torch.no_grad():
        logits = network(**{k: v.unsqueeze(0) for k, v in batch.items()}).logits[0]
    (found,) = load_scorer(str(folder), cpu).scores([question])
    assert found.log_probabilities == pytest.approx(logits.log_softmax(0).tolist(), abs=1e-5)


def test_a_pair_has_the_context_first(heads: dict[str, Path], cpu: Device) -> None:
    scorer = load_scorer(str(heads["bert"]), cpu)
    assert isinstance(scorer, HeadScorer)
    question = QUESTIONS[1]
    tokenizer = AutoTokenizer.from_pretrained(heads["bert"])
    for row, option in zip(scorer.encoder.encode(question).rows, question.options, strict=True):
        wanted = tokenizer(question.context, f"{question.text} {option}")
        assert list(row.tokens) == wanted["input_ids"]
        assert list(row.types) == wanted["token_type_ids"]


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_context_is_cut(kind: str, heads: dict[str, Path]) -> None:
    tokenizer = load_tokenizer(ModelSource(kind, heads[kind]))
    layout = Layout("pair" if kind.startswith("bert") else "text", 64)
    encoder = OptionEncoder(tokenizer, layout)
    question = replace(QUESTIONS[1], context="first words. " + "tea and rest " * 60 + "last")
    whole = OptionEncoder(tokenizer, replace(layout, max_tokens=10_000)).encode(question)
    cut = encoder.encode(question)
    assert (whole.cut_tokens, whole.cut_question, cut.cut_question) == (0, False, False)
    assert cut.cut_tokens == max(len(row.tokens) for row in whole.rows) - 64
    for short, full in zip(cut.rows, whole.rows, strict=True):
        assert len(short.tokens) == 64
        kept = 20  # question and option are at the end
        assert short.tokens[-kept:] == full.tokens[-kept:]


def test_a_question_that_is_too_long_is_told(heads: dict[str, Path]) -> None:
    encoder = OptionEncoder(load_tokenizer(ModelSource("gpt2", heads["gpt2"])), Layout("text", 40))
    long = replace(QUESTIONS[0], text="Which of them, then? " * 40)
    encoded = encoder.encode(long)
    assert encoded.cut_question
    assert all(len(row.tokens) <= 40 for row in encoded.rows)
    assert len({row.tokens for row in encoded.rows}) == len(long.options)  # options stay whole
    with pytest.raises(QuestionError, match="leaves no room") as error:
        encoder.encode(replace(long, options=("tea " * 80, "rest")))
    assert "tea" not in str(error.value)


def test_the_folder_says_how_it_is_asked(
    heads: dict[str, Path], tmp_path: Path, cpu: Device
) -> None:
    folder = tmp_path / "said"
    shutil.copytree(heads["bert"], folder)
    source, method = find_scorer(str(folder))
    before = scorer_fingerprint(source, method)
    write_layout(folder, Layout("text", 48))
    scorer = load_scorer(str(folder), cpu)
    assert isinstance(scorer, HeadScorer)
    assert scorer.encoder.layout == Layout("text", 48)
    assert scorer_fingerprint(source, method) != before
    (folder / "qa.json").write_text(json.dumps({"version": 9, "layout": "text", "max_tokens": 9}))
    with pytest.raises(ModelError, match="another version"):
        load_scorer(str(folder), cpu)


def test_what_cannot_score_options(tmp_path: Path, heads: dict[str, Path], cpu: Device) -> None:
    with pytest.raises(ModelError, match="endpoint"):
        find_scorer("endpoint:some-model")
    folder = tmp_path / "labels"
    shutil.copytree(heads["bert"], folder)
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {"0": "a", "1": "b", "2": "c"}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="3 labels"):
        find_scorer(str(folder))
    with pytest.raises(ModelError, match="no causal language model"):
        find_scorer("bundled")
