"""Exact matches: hashed forms of all names in sorted arrays, one index per level of looseness.

Forms are hashed to 128 bits with BLAKE2b, which is stable across machines and versions; two
different forms with one hash are not to be expected below 10^18 names, so the forms themselves
are not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from ontologies.normalise import compact_form, folded_form, reduced_form, sorted_form


@dataclass(frozen=True)
class Level:
    """One notion of equality: names match if ``form`` of their normal forms is the same.

    ``score`` is what a match at this level scores.
    """

    name: str
    form: Callable[[str], str]
    score: float


LEVELS = (
    Level("normal", str, 1.0),
    Level("compact", compact_form, 0.99),
    Level("sorted", sorted_form, 0.98),
    Level("folded", folded_form, 0.95),
    Level("reduced", reduced_form, 0.9),
)
"""From strictest to loosest; a name is looked up in the next level only if all before missed."""


@dataclass(frozen=True)
class ExactIndex:
    """Names by the hash of their form at one level.

    Attributes:
        high, low: halves of the hashes, shape (names,), uint64, sorted by ``high`` then ``low``.
        name: row of each name, shape (names,), int32.
    """

    high: npt.NDArray[np.uint64]
    low: npt.NDArray[np.uint64]
    name: npt.NDArray[np.int32]


def index_hashes(hashes: npt.NDArray[np.uint64]) -> ExactIndex:
    """Index names by the hashes of their forms, shape (names, 2); empty forms are left out."""
    (empty,) = hash_forms([""])
    rows = np.flatnonzero((hashes != empty).any(axis=1)).astype(np.int32)
    # Stable, so that names of one form stay in ascending order.
    order = np.lexsort((hashes[rows, 1], hashes[rows, 0]))
    rows = rows[order]
    return ExactIndex(
        high=np.ascontiguousarray(hashes[rows, 0]),
        low=np.ascontiguousarray(hashes[rows, 1]),
        name=rows,
    )


def find_forms(
    index: ExactIndex, forms: Sequence[str]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """All names with the given forms.

    Returns:
        Two arrays of one length: the position in ``forms`` and the row of a name with that form.
        Empty forms match nothing.
    """
    hashes = hash_forms(forms)
    first = np.searchsorted(index.high, hashes[:, 0], side="left")
    last = np.searchsorted(index.high, hashes[:, 0], side="right")
    runs = np.where([bool(form) for form in forms], last - first, 0).astype(np.int64)
    query = np.repeat(np.arange(len(forms), dtype=np.int64), runs)
    within = np.arange(len(query)) - np.repeat(np.cumsum(runs) - runs, runs)
    position = first[query] + within
    same = index.low[position] == hashes[query, 1]
    return query[same], index.name[position[same]]


def hash_forms(forms: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Halves of the forms' hashes, shape (forms, 2)."""
    digests = b"".join(
        blake2b(form.encode("utf-8", "surrogatepass"), digest_size=16).digest() for form in forms
    )
    return np.frombuffer(digests, dtype="<u8").reshape(-1, 2)
