"""Chosen options against right ones: accuracy by subject, and F1 of yes, no and maybe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flows.evaluating.bootstrap import interval, resample_totals
from flows.evaluating.scores import MICRO, Counts, Measure, Score, count_sets, score
from nlp.qa.question import YES_NO_MAYBE, Question

ACCURACY = Measure("accuracy", "agreed", ("gold",))
MAJORITY = Measure("majority", "majority", ("gold",))
CHANCE = "chance"
MACRO = "macro"
NO_SUBJECT = "questions"
BY_ANSWER = "_by_answer"
"""Ends the scope of scores by answer, yes, no and maybe."""


@dataclass(frozen=True)
class Chosen:
    """What was chosen: indices of options, one for each question, which all have an answer."""

    scope: str
    questions: Sequence[Question]
    options: Sequence[int]


def score_choices(chosen: Chosen, resamples: int, seed: int) -> list[Score]:
    """Accuracy of each subject and of all, with chance and majority beside it.

    Chance is what choosing blindly yields on average. Majority always takes the answer that is
    most frequent among the subject's questions. Of yes/no/maybe questions also precision, recall
    and F1 of each answer, and their means as ``macro``.
    """
    scores = _accuracies(chosen, resamples, seed)
    if all(question.options == YES_NO_MAYBE for question in chosen.questions):
        scores += _by_answer(chosen, resamples, seed)
    return scores


def _accuracies(chosen: Chosen, resamples: int, seed: int) -> list[Score]:
    of = [question.subject or NO_SUBJECT for question in chosen.questions]
    subjects = tuple(sorted(set(of)))
    most = {
        subject: _most_frequent(
            [q.answer for q, its in zip(chosen.questions, of, strict=True) if its == subject]
        )
        for subject in subjects
    }
    values = np.zeros((len(of), len(subjects), 3), dtype=np.int64)
    for row, (question, subject, option) in enumerate(
        zip(chosen.questions, of, chosen.options, strict=True)
    ):
        answer = question.answer
        values[row, subjects.index(subject)] = 1, option == answer, answer == most[subject]
    columns = ("gold", "agreed", "majority")
    counts = Counts(chosen.scope, subjects, columns, values, (ACCURACY, MAJORITY))
    blind = np.array([1 / len(question.options) for question in chosen.questions])
    scores = []
    for its in score(counts, resamples=resamples, seed=seed):
        scores.append(its)
        if its.measure == MAJORITY.name:
            rows = [its.label in (subject, MICRO) for subject in of]
            value = float(blind[rows].mean())
            right = round(value * its.gold)
            scores.append(
                Score(its.scope, its.label, CHANCE, value, value, value, its.gold, None, right)
            )
    return scores


def _most_frequent(answers: Sequence[int | None]) -> int | None:
    return max(Counter(answers).items(), key=lambda item: item[1])[0]


def _by_answer(chosen: Chosen, resamples: int, seed: int) -> list[Score]:
    def one(option: int | None) -> dict[str, frozenset[str]]:
        return {} if option is None else {YES_NO_MAYBE[option]: frozenset(["chosen"])}

    counts = count_sets(
        chosen.scope + BY_ANSWER,
        [one(question.answer) for question in chosen.questions],
        [one(option) for option in chosen.options],
        YES_NO_MAYBE,
    )
    scores = [s for s in score(counts, resamples=resamples, seed=seed) if s.label != MICRO]
    drawn = resample_totals(counts.values, resamples, seed)
    totals = counts.values.sum(axis=0)
    gold, found, agreed = (int(total) for total in totals.sum(axis=0))
    for number, measure in enumerate(("precision", "recall", "f1")):
        value = float(_macro(totals.astype(np.float64))[number])
        low, high = interval(_macro(drawn)[..., number], value)
        scores.append(Score(counts.scope, MACRO, measure, value, low, high, gold, found, agreed))
    return scores


def _macro(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of precision, recall and F1 over answers, of totals (..., answers, gold/found/agreed).

    What is not defined counts 0, as in scikit-learn.
    """
    gold, found, agreed = totals[..., 0], totals[..., 1], totals[..., 2]
    ratios = [
        np.divide(over, by, out=np.zeros_like(over), where=by > 0).mean(axis=-1)
        for over, by in ((agreed, found), (agreed, gold), (2 * agreed, gold + found))
    ]
    return np.stack(ratios, axis=-1)
