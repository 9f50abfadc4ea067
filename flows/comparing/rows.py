"""A comparison as rows, one number each: what ``charthouse diff`` prints as CSV and stores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows.diff import Diff, SameSet

Row = tuple[str, str, str, object]
"""Part, what it is about, measure, value."""

NAMES = "names "
"""How parts begin whose items are names of mentions: text of documents."""


def rows_of(outcome: Diff | SameSet) -> Iterator[Row]:
    """One number a row, in the order of the parts; each part, item and measure stands once.

    Things of one part that are called alike, such as two releases of one ontology, are told apart
    by a number: ``MeSH``, ``MeSH (2)``.
    """
    met: Counter[Row] = Counter()
    for part, item, measure, value in _rows(outcome):
        met[part, item, measure, None] += 1
        nth = met[part, item, measure, None]
        yield part, item if nth == 1 else f"{item} ({nth})", measure, value


def _rows(outcome: Diff | SameSet) -> Iterator[Row]:
    from flows.diff import SameSet

    if isinstance(outcome, SameSet):
        for run in outcome.runs:
            for measure, value in asdict(run).items():
                if measure != "run_id":
                    yield "runs", run.run_id, measure, value
        return
    for measure, value in asdict(outcome.documents).items():
        yield "documents", "all", measure, value
    for label in outcome.labels:
        counts = asdict(label) | {f"{name}_share": share for name, share in label.shares.items()}
        for measure, value in counts.items():
            if measure != "label":
                yield "mentions", label.label, measure, value
    for moved in outcome.relabellings:
        yield "relabelled", f"{moved.before} to {moved.after}", "mentions", moved.mentions
    for ontology in outcome.concepts:
        for measure, value in asdict(ontology).items():
            if measure != "ontology":
                yield "document concepts", ontology.ontology, measure, value
    for concept in outcome.top_concepts:
        yield f"concepts {concept.change}", concept.concept_id, "documents", concept.documents
    for name in outcome.names:
        yield f"{NAMES}{name.change}", f"{name.name} ({name.label})", "mentions", name.mentions
