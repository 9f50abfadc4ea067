"""The order of forms in an index: those whose concepts have the same types stand together.

The order is cut into blocks. Most blocks then hold forms of one set of types, so that a
restriction to some types leaves them out or takes them whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ontologies.arrays import ragged, row_starts
from ontologies.exact import ExactIndex

BLOCK_SIZE = 65_536
"""Most forms of a block: their sums in a sparse product stay in a core's cache."""

_OWN = BLOCK_SIZE // 4
"""Forms of one set of types get blocks of their own if they are at least so many."""


@dataclass(frozen=True)
class FormIndex:
    """Distinct normal forms: the rows of the names that have each, ragged."""

    name_start: npt.NDArray[np.int64]
    name: npt.NDArray[np.int32]


def order_forms(
    exact: ExactIndex, kind: npt.NDArray[np.int64]
) -> tuple[FormIndex, npt.NDArray[np.int64]]:
    """Distinct forms by kind, those of several kinds last, then by their first name.

    Args:
        exact: names by the hash of their normal form.
        kind: what is to stand together: a number for each name, below the number of names.

    Returns:
        The forms, and the blocks: the first form of each and the end of the last.
    """
    first = np.ones(len(exact.name), dtype=np.bool_)
    first[1:] = (exact.high[1:] != exact.high[:-1]) | (exact.low[1:] != exact.low[:-1])
    start = np.flatnonzero(first)
    if not len(start):
        nothing = np.zeros(1, dtype=np.int64)
        return FormIndex(nothing, np.empty(0, dtype=np.int32)), nothing
    kinds = kind[exact.name]
    lowest = np.minimum.reduceat(kinds, start)
    several = lowest != np.maximum.reduceat(kinds, start)
    key = lowest + several * len(kind)
    order = np.lexsort((exact.name[start], key))
    length, position = ragged(np.append(start, len(exact.name)), order)
    forms = FormIndex(row_starts(length), exact.name[position])
    return forms, np.array(_cut(np.unique(key, return_counts=True)[1].tolist()), dtype=np.int64)


def _cut(runs: Sequence[int]) -> list[int]:
    """Where blocks begin and the last one ends, given how many forms there are of each kind."""
    cuts, end = [0], 0
    for run in runs:
        if run >= _OWN or end + run - cuts[-1] > BLOCK_SIZE:
            cuts.append(end)
        end += run
        if run >= _OWN:
            cuts += range(cuts[-1] + BLOCK_SIZE, end, BLOCK_SIZE)
            cuts.append(end)
    cuts.append(end)
    return [0, *(high for low, high in pairwise(cuts) if high > low)]
