"""Named entity recognition: found mentions against gold mentions.

Strictly, a found mention is right when start, end and label are those of a gold mention. Relaxed,
it is right when it shares a character with a gold mention of its label; each mention counts for
one of the other side, paired so that as many as can be agree.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from itertools import accumulate
from typing import Protocol

from flows.evaluating.evaluation import Evaluation, Judgement, judge
from flows.evaluating.finding import find_mentions, found_notes
from flows.evaluating.gold import GoldCorpus, Span
from flows.evaluating.mentions import Found
from flows.evaluating.predictions import mention_rows
from flows.evaluating.request import Request
from flows.evaluating.scores import count_sets
from flows.progress import Reporter
from nlp.fingerprint import AnnotationSet

STRICT = "strict"
RELAXED = "relaxed"


class Mention(Protocol):
    """Anything with a span and a label."""

    @property
    def start_char(self) -> int:
        """First character."""

    @property
    def end_char(self) -> int:
        """One past the last character."""

    @property
    def label(self) -> str:
        """Entity type."""


def evaluate_ner(request: Request, corpora: Sequence[GoldCorpus], reporter: Reporter) -> Evaluation:
    """Find mentions in gold documents and judge them.

    Raises:
        CharthouseError: a model, the device or the warehouse cannot be used.
    """
    finding = find_mentions(request, corpora, reporter)
    return Evaluation(
        task="ner",
        request=request,
        corpora=tuple(
            _judge(request, corpus, finding.annotation, its)
            for corpus, its in zip(finding.corpora, finding.found, strict=True)
        ),
        annotation=finding.annotation,
        run_id=finding.run_id,
    )


def _judge(
    request: Request, corpus: GoldCorpus, annotation: AnnotationSet, found: Found
) -> Judgement:
    gold_spans = [spans_by_label(d.mentions) for d in corpus.documents.values()]
    found_spans = [spans_by_label(found.mentions[i]) for i in corpus.documents]
    return judge(
        request,
        corpus,
        (
            count_sets(STRICT, gold_spans, found_spans, corpus.labels),
            count_sets(RELAXED, gold_spans, found_spans, corpus.labels, overlapping_pairs),
        ),
        mention_rows(found),
        facts={"rejected": found.rejected},
        notes=found_notes(request, annotation, corpus, found),
    )


def spans_by_label(mentions: Iterable[Mention]) -> dict[str, set[Span]]:
    """The spans of a document's mentions, by label."""
    spans: dict[str, set[Span]] = defaultdict(set)
    for mention in mentions:
        spans[mention.label].add((mention.start_char, mention.end_char))
    return spans


def overlapping_pairs(gold: AbstractSet[Span], found: AbstractSet[Span]) -> int:
    """How many gold spans can be paired with a found span of their own that they overlap.

    Gold spans are served in order of their end, each with the first free found span it overlaps.
    That makes the most of found spans that do not overlap each other (Glover 1967), as those of
    one label never do unless labels were merged.
    """
    ordered = sorted(found)
    starts = [start for start, _ in ordered]
    reached = list(accumulate((end for _, end in ordered), max))
    taken: set[Span] = set()
    for start, end in sorted(gold, key=lambda span: (span[1], span[0])):
        near = ordered[bisect_right(reached, start) : bisect_left(starts, end)]
        free = (span for span in near if span not in taken and span[1] > start)
        if (partner := next(free, None)) is not None:
            taken.add(partner)
    return len(taken)
