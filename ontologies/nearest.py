"""Near matches: the indexed forms whose 3-grams are most like those of a query.

All forms that have a 3-gram in common with a query are far too many among nine million. So a
search has two steps, each the same for a query whatever comes with it:

1. **Candidates by the rare 3-grams.** Of the query's 3-grams in the index the rarest are taken, as
   few as hold ``1 - _LEFT_OUT**2`` of its squared weight. A form without any of them has a
   similarity of at most ``_LEFT_OUT`` (prefix filtering: Bayardo et al. 2007,
   https://doi.org/10.1145/1242572.1242591, with the rule of Cauchy and Schwarz as the bound). The
   forms with the largest sums over the 3-grams taken are the candidates, ``_WIDER`` times as
   many as are asked for.
2. **Their similarity**, over all 3-grams, decides which of them stay.

A form that shares only common 3-grams with a query, or many more of those than of the rare ones,
can be missed. `benchmarks/umls_scale.py` measures how often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sparse_dot_topn import sp_matmul_topn, zip_sp_matmul_topn

from ontologies.arrays import ragged
from ontologies.ngrams import GramIndex, weigh_queries

_LEFT_OUT = 0.6
_WIDER = 3
_BATCH = 256
"""Queries at once: enough for a block to stay in the cache from one to the next."""


@dataclass(frozen=True)
class GramSearch:
    """The blocks of an index that one restriction allows.

    Attributes:
        matrices: of each block that holds allowed forms, a CSR matrix of shape (grams, allowed
            forms of the block).
        forms: the row in the index of each column of a matrix, or the row of its first column
            where all forms of a block are allowed.
        first: column of each block's first form if the matrices stood side by side.
    """

    matrices: tuple[sparse.csr_matrix, ...]
    forms: tuple[npt.NDArray[np.int64], ...]
    first: npt.NDArray[np.int64]


def restrict(index: GramIndex, allowed: npt.NDArray[np.bool_]) -> GramSearch:
    """Keep the forms where ``allowed``, shape (forms,), is true.

    Blocks of which all is allowed are searched where they lie in the index; of the few of which
    only a part is, the part is copied.
    """
    matrices, forms = [], []
    for number, low in enumerate(index.block[:-1].tolist()):
        inside = allowed[low : int(index.block[number + 1])]
        if inside.all():
            matrices.append(_block(index, number))
            forms.append(np.array([low], dtype=np.int64))
        elif inside.any():
            columns = np.flatnonzero(inside)
            matrices.append(_block(index, number)[:, columns])
            forms.append(low + columns)
    width = [matrix.shape[1] for matrix in matrices]
    return GramSearch(tuple(matrices), tuple(forms), np.cumsum([0, *width], dtype=np.int64))


def _block(index: GramIndex, number: int) -> sparse.csr_matrix:
    low, high = index.entry[number], index.entry[number + 1]
    shape = (len(index.vocabulary), int(index.block[number + 1] - index.block[number]))
    # SciPy copies slices of large arrays when it is handed them.
    matrix = sparse.csr_matrix(shape, dtype=np.float32)
    matrix.indptr = index.posting[number]
    matrix.indices, matrix.data = index.form[low:high], index.weighted[low:high]
    return matrix


def nearest(
    index: GramIndex, search: GramSearch, forms: Sequence[str], count: int, floor: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The most similar indexed forms of each queried form.

    A row's result depends on that row alone, not on the others in the batch.

    Args:
        index, search: an index and the allowed part of it.
        forms: normal forms, a few thousand at a time.
        count: at most this many per queried form.
        floor: only similarities above this.

    Returns:
        Three arrays of one length: position in ``forms``, row in the index, similarity in 0 to 1;
        in ascending order of the position, then the best first, then in the index's order.
    """
    parts = [(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0))]
    if search.matrices:
        queries = weigh_queries(index, forms)
        for low in range(0, len(forms), _BATCH):
            some = slice(low, low + _BATCH)
            query, form = _candidates(search, _rarest(index, queries[some]), _WIDER * count)
            similarity = _similarity(index, queries[some], query, form)
            order = np.lexsort((form, -similarity, query))
            query, form, similarity = query[order], form[order], similarity[order]
            rank = np.arange(len(query)) - np.searchsorted(query, query)
            kept = (rank < count) & (similarity > floor)
            parts.append((low + query[kept], form[kept], similarity[kept]))
    query, form, similarity = (np.concatenate(column) for column in zip(*parts, strict=True))
    return query, form, np.clip(similarity, 0.0, 1.0)


def _rarest(index: GramIndex, queries: sparse.csr_matrix) -> sparse.csr_matrix:
    """The queries' rarest 3-grams, by their keys where equally rare."""
    count = np.diff(queries.indptr)
    row = np.repeat(np.arange(len(count)), count)
    order = np.lexsort((queries.indices, -index.weight[queries.indices], row))
    place = np.arange(len(row)) - queries.indptr[row]
    # One row a query: running sums over all in turn would round by what stands before.
    square = np.zeros((len(count), max(count.max(initial=0), 1)))
    square[row, place] = queries.data[order].astype(np.float64) ** 2
    total = np.cumsum(square, axis=1)
    kept = (total - square)[row, place] < (1 - _LEFT_OUT**2) * total[row, -1]
    start = np.concatenate([[0], np.cumsum(np.bincount(row[kept], minlength=len(count)))])
    return sparse.csr_matrix(
        (queries.data[order][kept], queries.indices[order][kept], start.astype(np.int32)),
        shape=queries.shape,
    )


def _candidates(
    search: GramSearch, rare: sparse.csr_matrix, count: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each query the forms with the largest sums, as positions of queries and rows of forms."""
    found = [
        sp_matmul_topn(rare, matrix, top_n=count, threshold=0.0, n_threads=1)
        for matrix in search.matrices
    ]
    best = zip_sp_matmul_topn(count, found)
    query = np.repeat(np.arange(rare.shape[0], dtype=np.int64), np.diff(best.indptr))
    column = best.indices.astype(np.int64)
    block = np.searchsorted(search.first, column, side="right") - 1
    within = column - search.first[block]
    form = np.empty(len(column), dtype=np.int64)
    for number in np.unique(block):
        here, rows = block == number, search.forms[number]
        form[here] = rows[within[here]] if len(rows) > 1 else rows[0] + within[here]
    return query, form


def _similarity(
    index: GramIndex,
    queries: sparse.csr_matrix,
    query: npt.NDArray[np.int64],
    form: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Cosine of each pair of a query and an indexed form."""
    length, position = ragged(index.start, form)
    # The queries' own 3-grams numbered from 1: a small dense table of their weights.
    own = np.unique(queries.indices)
    number = np.zeros(len(index.vocabulary), dtype=np.int32)
    number[own] = np.arange(1, len(own) + 1)
    table = np.zeros((queries.shape[0], len(own) + 1), dtype=np.float32)
    row = np.repeat(np.arange(queries.shape[0]), np.diff(queries.indptr))
    table[row, number[queries.indices]] = queries.data
    pair = np.repeat(np.arange(len(form)), length)
    weights = table.reshape(-1)[
        np.repeat(query * table.shape[1], length) + number[index.gram[position]]
    ]
    return np.bincount(pair, weights * index.value[position], len(form))
