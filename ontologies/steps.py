"""The ways a name is looked up exactly, from the strictest to the loosest.

Each step turns a name into forms and asks for them in one of the exact indexes of
``ontologies/exact.py``. A name goes to the next step only if all before found nothing that its
label allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontologies.broader import broader
from ontologies.composite import parts
from ontologies.equivalents import equivalents
from ontologies.exact import LEVELS, find_forms
from ontologies.normalise import normal_form
from ontologies.store import FORBIDDEN, ConceptStore


@dataclass(frozen=True)
class Step:
    """One way to look a name up.

    Attributes:
        method: what ``name_links.method`` says of links that come of it.
        level: name of the level whose index is asked.
        score: what a match scores.
        variants: the names to look up instead of a name, the best first; of these the first that
            finds anything counts. None looks up the name itself.
    """

    method: str
    level: str
    score: float
    variants: Callable[[str], Sequence[str]] | None = None


STEPS = (
    Step("exact", "normal", 1.0),
    Step("equivalent", "normal", 0.99, equivalents),
    Step("exact", "compact", 0.98),
    Step("exact", "sorted", 0.97),
    Step("exact", "folded", 0.95),
    Step("equivalent", "folded", 0.93, equivalents),
    Step("exact", "reduced", 0.9),
    Step("part", "folded", 0.85, parts),
    Step("broader", "folded", 0.8, broader),
)
"""The steps in their order."""

_LEVEL = {level.name: (number, level.form) for number, level in enumerate(LEVELS)}

Matches = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]
"""Positions of names that were asked for, and rows of names of the store that match."""


def find_exact(
    store: ConceptStore,
    texts: Sequence[str],
    forms: Sequence[str],
    permit: npt.NDArray[np.uint8],
) -> Iterator[tuple[int, Matches]]:
    """Matches of each name by the first step that finds any.

    Args:
        store: an open store.
        texts: names as they are written.
        forms: their normal forms.
        permit: which concepts are allowed (:meth:`ConceptStore.permits`).

    Yields:
        The number of a step, and what it found for the names that all steps before left over.
    """
    missing = np.arange(len(texts), dtype=np.int64)
    for number, step in enumerate(STEPS):
        index, loosen = _LEVEL[step.level]
        if step.variants is None:
            asked, rank = missing, np.zeros(len(missing), dtype=np.int64)
            variants = [forms[query] for query in missing]
        else:
            each = [step.variants(texts[query]) for query in missing]
            counts = [len(names) for names in each]
            asked = np.repeat(missing, counts)
            rank = np.concatenate([np.arange(count) for count in counts] or [missing])
            variants = [normal_form(name) for names in each for name in names]
        row, name = find_forms(store.exact[index], [loosen(form) for form in variants])
        allowed = permit[store.names.concept[name]] != FORBIDDEN
        row, name = row[allowed], name[allowed]
        first = np.full(len(texts), len(variants), dtype=np.int64)
        np.minimum.at(first, asked[row], rank[row])
        kept = rank[row] == first[asked[row]]
        yield number, (asked[row][kept], name[kept])
        missing = np.setdiff1d(missing, asked[row])
