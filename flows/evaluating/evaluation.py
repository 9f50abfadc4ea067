"""What an evaluation says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import polars as pl

from flows.evaluating.gold import GoldCorpus
from flows.evaluating.request import Request
from flows.evaluating.scores import Counts, Score, score
from flows.readers.drawn import RANDOM, Drawn
from flows.warehouse.runs import now
from nlp.fingerprint import AnnotationSet, ModelIdentity


@dataclass(frozen=True)
class Judgement:
    """The scores of one corpus.

    Attributes:
        corpus: its name.
        sha256: of the gold file.
        documents: documents it was judged by.
        facts: counts that say what the scores rest on.
        notes: what a reader of the scores should know; sentences without text or native ids.
        scores: every measure of every label.
        predictions: what was found, in the columns of ``flows/evaluating/predictions.py``.
        drawn: how the documents were drawn from a warehouse, if they were.
    """

    corpus: str
    sha256: str
    documents: int
    facts: Mapping[str, int]
    notes: tuple[str, ...]
    scores: tuple[Score, ...]
    predictions: pl.DataFrame
    drawn: Drawn | None = None


class NamedRelease(Protocol):
    """An ontology release, of a store or of a warehouse."""

    @property
    def release_id(self) -> str: ...  # noqa: D102
    @property
    def attribution(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Evaluation:
    """One evaluation: what was asked for, and how each corpus came out.

    ``annotation`` is what found the mentions, ``linkset_id`` and ``release`` what linked them,
    ``assessor`` what said whether they are denied, ``relator`` what related them; each is ``None``
    where it had no part.
    """

    task: str
    request: Request
    corpora: tuple[Judgement, ...]
    annotation: AnnotationSet | None = None
    linkset_id: str | None = None
    release: NamedRelease | None = None
    assessor: ModelIdentity | None = None
    relator: ModelIdentity | None = None
    run_id: str | None = None
    evaluated_at: datetime = field(default_factory=now)

    @property
    def models(self) -> tuple[ModelIdentity, ...]:
        """All that found, assessed or related."""
        found = self.annotation.models if self.annotation else ()
        return (*found, *(its for its in (self.assessor, self.relator) if its))


def judge(
    request: Request,
    corpus: GoldCorpus,
    counts: tuple[Counts, ...],
    predictions: pl.DataFrame,
    *,
    facts: Mapping[str, int],
    notes: tuple[str, ...] = (),
) -> Judgement:
    """Score the counts of a corpus."""
    scores = [s for c in counts for s in score(c, resamples=request.resamples, seed=request.seed)]
    return Judgement(
        corpus=corpus.name,
        sha256=corpus.sha256,
        documents=len(corpus.documents),
        facts={"repeated": corpus.repeated, "misplaced": corpus.misplaced, **facts},
        notes=(*_gold_notes(corpus), *notes),
        scores=tuple(scores),
        predictions=predictions,
        drawn=corpus.drawn,
    )


def _gold_notes(corpus: GoldCorpus) -> tuple[str, ...]:
    notes = []
    if corpus.repeated:
        notes.append(f"documents left out because their id stands again: {corpus.repeated:,}")
    if corpus.misplaced:
        notes.append(
            f"gold mentions whose words do not stand at their offsets: {corpus.misplaced:,}"
        )
    if corpus.absent:
        notes.append(f"documents that the warehouse no longer holds, left out: {corpus.absent:,}")
    if corpus.changed:
        notes.append(f"documents whose text has changed, left out: {corpus.changed:,}")
    if corpus.drawn is not None:
        notes += _drawn_notes(corpus.drawn, len(corpus.documents))
    if corpus.agreement is not None:
        notes.append(str(corpus.agreement))
    return tuple(notes)


def _drawn_notes(drawn: Drawn, judged: int) -> list[str]:
    notes = []
    if judged < drawn.documents:
        notes.append(f"of the {drawn.documents:,} documents that were drawn, judged: {judged:,}")
    if drawn.strategy == RANDOM and drawn.restricted:
        notes.append("documents were drawn at random from a part of the warehouse")
    if drawn.strategy != RANDOM:
        notes.append(
            f"documents were drawn as {drawn.strategy}: the scores are theirs, and estimate "
            "nothing of all documents"
        )
    return notes
