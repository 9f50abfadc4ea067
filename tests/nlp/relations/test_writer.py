"""What a language model writes of documents, kept and counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from nlp.generation.completion import LENGTH, STOP, Completion, Likelihood, Prompt, Sampling
from nlp.generation.template import load_template
from nlp.relations.patterns import load_patterns
from nlp.relations.text import RelationText
from nlp.relations.writer import RelationWriter
from tests.nlp.relations.texts import relation_text

TEXT = relation_text("Lithium and heparin. Cyanosis or an ulcer.")


@dataclass
class _Says:
    """A model that always says the same."""

    text: str
    finish_reason: str = STOP
    score: float | None = -0.5
    name: str = "says"
    context: int = 100

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) for text in texts]

    def generate(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        progress: Callable[[int], None] | None = None,
    ) -> list[Completion]:
        assert all(TEXT.text in prompt.text for prompt in prompts)
        return [Completion(self.text, self.finish_reason, 9, 5, 2, self.score) for _ in prompts]

    def log_likelihoods(
        self,
        pairs: Sequence[tuple[str, str]],
        progress: Callable[[int], None] | None = None,
    ) -> list[Likelihood]:
        raise AssertionError


def _writer(model: _Says) -> RelationWriter:
    template = load_template("relation-sentences")
    return RelationWriter(model, template, load_patterns("sentences"), Sampling())


def _pairs(writer: RelationWriter, text: RelationText = TEXT) -> list[tuple[str, str]]:
    (said,) = writer.write([text])
    return [(r.subject, r.object) for r in said.relations]


ONE = "the relation between lithium and cyanosis exists"
TWO = "the relation between heparin and ulcer exists"


def test_what_was_written_is_kept_with_its_counts() -> None:
    (said,) = _writer(_Says(f"{ONE}; rubbish.")).write([TEXT])
    assert said.written.text == f"{ONE}; rubbish."
    assert (said.written.calls, said.written.truncated_tokens, said.unparsed) == (1, 2, 1)
    assert said.relations[0].score == pytest.approx(math.exp(-0.5))


def test_a_statement_that_was_cut_off_is_no_relation() -> None:
    cut = _writer(_Says(f"{ONE}; {TWO}", LENGTH))
    assert _pairs(cut) == [("LITHIUM", "CYANOSIS")]
    assert cut.write([TEXT])[0].unparsed == 1
    assert len(_pairs(_writer(_Says(f"{ONE}; {TWO}")))) == 2
    assert len(_pairs(_writer(_Says(f"{ONE}; {TWO}.", LENGTH)))) == 2


def test_the_threshold_is_of_the_score() -> None:
    writer = _writer(_Says(ONE))
    assert [len(found) for found in writer.find([TEXT], 0.7)] == [0]
    assert [len(found) for found in writer.find([TEXT])] == [1]


def test_nobody_tells_a_score() -> None:
    (said,) = _writer(_Says(ONE, score=None)).write([TEXT])
    assert math.isnan(said.relations[0].score)
