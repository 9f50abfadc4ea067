"""How far annotators agree with each other: F1 of each against each other one.

Where nothing counts what nobody marked, F1 is what Cohen's kappa tends to (Hripcsak and Rothschild
2005, doi:10.1197/jamia.M1733), so it is the measure for spans. No system can be expected to agree
with annotators much better than they do among themselves.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flows.readers.gold import GoldDocument


@dataclass(frozen=True)
class Agreement:
    """Strict agreement over documents that several people annotated.

    Attributes:
        documents: those that two or more annotated.
        pairs: of annotators of the same document, all documents together.
        marked: mentions of both sides of all pairs.
        agreed: mentions that both of a pair marked.
    """

    documents: int
    pairs: int
    marked: int
    agreed: int

    @property
    def f1(self) -> float:
        """Start, end and label are the same; 1 where nobody marked anything."""
        return 2 * self.agreed / self.marked if self.marked else 1.0

    def __str__(self) -> str:
        """For people."""
        return (
            f"annotators agree with each other by F1 {100 * self.f1:.1f} "
            f"({self.documents:,} documents that several annotated)"
        )


def agreement(documents: Iterable[GoldDocument], labels: Mapping[str, str]) -> Agreement | None:
    """Compare what each annotator marked, under our labels; ``None`` without two of them.

    Args:
        documents: as read.
        labels: the file's label to ours; an empty one drops a mention.
    """
    several = pairs = marked = agreed = 0
    for document in documents:
        versions = [
            {(m.start_char, m.end_char, labels[m.label]) for m in its if labels[m.label]}
            for its in document.annotators
        ]
        several += len(versions) > 1
        for one, other in itertools.combinations(versions, 2):
            pairs += 1
            marked += len(one) + len(other)
            agreed += len(one & other)
    return Agreement(several, pairs, marked, agreed) if several else None
