"""Figures of lm-evaluation-harness beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flows.evaluating.evaluation import Judgement
from flows.evaluating.harness import METRICS, HarnessResult, harness_version
from flows.evaluating.scores import MICRO, Score
from nlp.qa.scorer import OptionScores

HARNESS = "harness"
_DEVIATIONS = 1.96
"""Standard errors on either side that hold 95% of a normal distribution."""


def with_harness(
    judgement: Judgement, found: Sequence[OptionScores], result: HarnessResult
) -> Judgement:
    """A judgement with the harness's figures, and a note on how far log-likelihoods differ."""
    questions = judgement.documents
    scores = []
    for metric in METRICS:
        value, error = result.metrics[metric]
        low, high = max(0.0, value - _DEVIATIONS * error), min(1.0, value + _DEVIATIONS * error)
        right = round(value * questions)
        scores.append(Score(HARNESS, MICRO, metric, value, low, high, questions, None, right))
    note = (
        f"lm-evaluation-harness {harness_version()}: its log-likelihoods differ from ours by "
        f"{largest_difference(found, result):.1g} nats at most"
    )
    return replace(judgement, scores=(*judgement.scores, *scores), notes=(*judgement.notes, note))


def largest_difference(found: Sequence[OptionScores], result: HarnessResult) -> float:
    """The largest difference of an option's log-likelihood, nats."""
    return max(
        abs(ours - theirs)
        for its, others in zip(found, result.log_likelihoods, strict=True)
        for ours, theirs in zip(its.log_probabilities, others, strict=True)
    )
