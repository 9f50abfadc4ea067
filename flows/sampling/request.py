"""What a sample is to be."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from flows.errors import UsageError
from flows.exporting.selection import Selection
from flows.sampling.choices import Form, Strategy, Stratum

MEANINGS: dict[Strategy, str] = {
    Strategy.random: "every document is as likely as any other: estimates the whole",
    Strategy.uncertain: "documents whose least certain mentions are least certain (least "
    "confidence, Settles 2009): what to learn from",
    Strategy.unlinked: "few documents that show many of the frequent names without a decided "
    "concept (greedy cover, Nemhauser et al. 1978): what to add to the ontology",
}
"""In one line each; :mod:`flows.sampling.strategies` has them in full."""

_SUFFIXES = {".json": Form.labelstudio, ".pubtator": Form.pubtator, ".txt": Form.pubtator}


@dataclass(frozen=True)
class SampleRequest:
    """What to draw from which warehouse, and where to write it.

    Attributes:
        warehouse: it is only read.
        out: the file; a file of settings stands beside.
        form: of the file.
        documents: how many to draw at most.
        strategy: how.
        seed: decides what chance decides.
        selection: a condition in SQL and corpora.
        kinds: abstract, note or article; none = all.
        by: columns whose shares a random sample keeps.
        labels: labels to be marked; none = all that the warehouse's models find.
        exclude: files sampled or annotated earlier: their documents are not drawn again.
        blind: write no mentions.
    """

    warehouse: Path
    out: Path
    form: Form
    documents: int = 100
    strategy: Strategy = Strategy.random
    seed: int = 0
    selection: Selection = field(default_factory=Selection)
    kinds: Collection[str] = ()
    by: tuple[Stratum, ...] = ()
    labels: tuple[str, ...] = ()
    exclude: tuple[Path, ...] = ()
    blind: bool = False

    @property
    def is_restricted(self) -> bool:
        """Whether documents were left out of the choice."""
        return bool(self.kinds or self.exclude) or not self.selection.is_all


def form_of(out: Path, form: Form | None) -> Form:
    """The form that was asked for, else that of the file's name.

    Raises:
        UsageError: the name tells none.
    """
    found = form or _SUFFIXES.get(out.suffix.lower())
    if found is None:
        raise UsageError(
            f"--out {out.name}: its name does not say which format is meant",
            "End it in .json (Label Studio) or .pubtator, or give --format",
        )
    return found
