"""Predictions as tab-separated rows, for others to score.

They hold ids and offsets, no text; but for abbreviations, which are told by nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import polars as pl

from flows.errors import CharthouseError
from flows.evaluating.links import Link
from flows.evaluating.mentions import Found
from flows.work import write_durably
from nlp.qa.question import Question
from nlp.qa.scorer import OptionScores

_MENTION = {
    "document_id": pl.String,
    "start_char": pl.Int64,
    "end_char": pl.Int64,
    "label": pl.String,
    "score": pl.Float64,
}
_CANDIDATE = {
    **_MENTION,
    "rank": pl.Int64,
    "concept_id": pl.String,
    "method": pl.String,
    "status": pl.String,
}
_CHOICE = {
    "corpus": pl.String,
    "question_id": pl.String,
    "gold": pl.Int64,
    "chosen": pl.Int64,
    "chosen_per_character": pl.Int64,
    "chosen_per_byte": pl.Int64,
    "scores": pl.String,
    "cut_tokens": pl.Int64,
}
_ABBREVIATION = {"pmid": pl.String, "short_form": pl.String, "long_form": pl.String}

Row = tuple[Any, ...]


def mention_rows(found: Found) -> pl.DataFrame:
    """One row per mention found; ``score`` is the model's probability for it."""
    rows = [
        (document_id, m.start_char, m.end_char, m.label, m.score)
        for document_id, mentions in found.mentions.items()
        for m in mentions
    ]
    return pl.DataFrame(rows, schema=_MENTION, orient="row")


def candidate_rows(mentions: Iterable[tuple[str, int, int, str, Link]]) -> pl.DataFrame:
    """One row per candidate concept, ``score`` its similarity to the name.

    Args:
        mentions: document_id, start, end, label and candidates; a mention without candidates is
            one row of rank 1 with an empty concept_id (NIL).
    """
    rows: list[Row] = []
    for *mention, link in mentions:
        rows += [(*mention, *row) for row in _candidates(link)]
    return pl.DataFrame(rows, schema=_CANDIDATE, orient="row")


def _candidates(link: Link) -> Sequence[Row]:
    if not link.candidates:
        return [(None, 1, None, None, link.status)]
    return [
        (candidate.score, rank, candidate.concept_id, candidate.method, link.status)
        for rank, candidate in enumerate(link.candidates, start=1)
    ]


def abbreviation_rows(found: Mapping[str, AbstractSet[tuple[str, str]]]) -> pl.DataFrame:
    """One row per pair of short form and long form, by PMID, in alphabetical order."""
    rows = [(pmid, *pair) for pmid, pairs in found.items() for pair in sorted(pairs)]
    return pl.DataFrame(rows, schema=_ABBREVIATION, orient="row")


def choice_rows(
    corpus: str, questions: Sequence[Question], found: Sequence[OptionScores]
) -> pl.DataFrame:
    """One row per question: options are numbered from 0, scores are log-probabilities in nats.

    ``scores`` are those of all options, with commas between. Choices per character and per byte
    are empty where a trained head chose.
    """
    rows = [
        (
            corpus,
            question.question_id,
            question.answer,
            its.chosen,
            its.chosen_per_character if its.lengths else None,
            its.chosen_per_byte if its.lengths else None,
            ",".join(f"{value:.6f}" for value in its.log_probabilities),
            its.cut_tokens,
        )
        for question, its in zip(questions, found, strict=True)
    ]
    return pl.DataFrame(rows, schema=_CHOICE, orient="row")


def write_predictions(path: Path, frames: Sequence[pl.DataFrame]) -> None:
    """Write the predictions of all corpora with a header, readable by their owner only.

    Raises:
        CharthouseError: the file cannot be written.
    """
    try:
        write_durably(path, lambda file: pl.concat(frames).write_csv(file, separator="\t"))
    except OSError as error:
        raise CharthouseError(
            f"predictions {path} cannot be written ({error.strerror})", "Check --predictions"
        ) from None
