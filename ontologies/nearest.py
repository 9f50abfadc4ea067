"""Near matches: the indexed forms whose 3-grams are most like those of a query.

Where a query's 3-grams have no more than ``_BUDGET`` postings in the part of the index that is
searched, as in all of MeSH, the result is exact. Among nine million names most queries have
several million, and the search goes in two steps:

1. **Candidates by the rare 3-grams.** Of the query's 3-grams the rarest are taken: as many as stay
   below ``_BUDGET`` postings, and in any case as many as hold ``1 - _LEFT_OUT**2`` of the squared
   weight of all that are in the index, or ``1 - _MOST_LEFT_OUT**2`` where more have over
   ``_PLENTY`` postings (prefix filtering: Bayardo et al. 2007,
   https://doi.org/10.1145/1242572.1242591). The forms with the largest sums over the 3-grams taken
   are the candidates, ``_WIDER`` times as many as are asked for, if the sum is above a third of
   the floor. By the rule of Cauchy and Schwarz the other 3-grams add no more than was left out, so
   every form whose similarity is above ``_MOST_LEFT_OUT`` and a third of the floor passes this bar:
   with the linker's default settings, every one above its threshold.
2. **Their similarity**, over all 3-grams, decides which of them stay.

So a form can be missed that is not very similar and has its 3-grams in common with the query among
the common ones; most of what is missed stands far down the list. ``benchmarks/umls_scale.py``
measures it. What is found depends on the index, the restriction and the query alone, not on the
queries it comes with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sparse_dot_topn import sp_matmul_topn, zip_sp_matmul_topn

from ontologies.arrays import ragged, row_starts
from ontologies.ngrams import GramIndex, weigh_queries

_BUDGET, _PLENTY = 500_000, 1_500_000
_LEFT_OUT, _MOST_LEFT_OUT = 0.5, 0.6
_WIDER = 6
_BATCH = 512
"""Queries at once: enough for a block to stay in the cache from one to the next."""

Found = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]
"""Positions of queries, rows of forms in the index, and similarities, of one length."""


@dataclass(frozen=True)
class GramSearch:
    """The blocks of an index that one restriction allows.

    Attributes:
        matrices: of each block that holds allowed forms, a CSR matrix of shape (grams, allowed
            forms of the block).
        forms: the row in the index of each column of a matrix, or the row of its first column
            where all forms of a block are allowed.
        first: column of each block's first form if the matrices stood side by side, and of the
            end, shape (blocks + 1,).
        postings: of each 3-gram in these blocks, shape (grams,), int64.
    """

    matrices: tuple[sparse.csr_matrix, ...]
    forms: tuple[npt.NDArray[np.int64], ...]
    first: npt.NDArray[np.int64]
    postings: npt.NDArray[np.int64]


def restrict(index: GramIndex, allowed: npt.NDArray[np.bool_]) -> GramSearch:
    """Keep the forms where ``allowed``, shape (forms,), is true.

    Blocks of which all is allowed are searched where they lie in the index; of the few of which
    only a part is, the part is copied.
    """
    matrices, forms = [], []
    postings = np.zeros(len(index.vocabulary), dtype=np.int64)
    for number, low in enumerate(index.block[:-1].tolist()):
        inside = allowed[low : int(index.block[number + 1])]
        if not inside.any():
            continue
        matrix, rows = _block(index, number), np.array([low], dtype=np.int64)
        if not inside.all():
            rows = low + np.flatnonzero(inside)
            matrix = matrix[:, np.flatnonzero(inside)]
        matrices.append(matrix)
        forms.append(rows)
        postings += np.diff(matrix.indptr)
    width = np.array([matrix.shape[1] for matrix in matrices], dtype=np.int64)
    return GramSearch(tuple(matrices), tuple(forms), row_starts(width), postings)


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
) -> Found:
    """The most similar indexed forms of each queried form.

    Args:
        index, search: an index and the allowed part of it.
        forms: normal forms, a few thousand at a time.
        count: at most this many per queried form.
        floor: only similarities above this.

    Returns:
        Three arrays of one length: position in ``forms``, row in the index, similarity in 0 to 1;
        by position, the best first, equally similar ones in the index's order.
    """
    parts: list[Found] = [
        (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64))
    ]
    if search.matrices:
        queries = weigh_queries(index, forms)
        for low in range(0, len(forms), _BATCH):
            some = queries[low : low + _BATCH]
            rare = _rarest(search, some)
            pruned = np.diff(rare.indptr) < np.diff(some.indptr)
            for rows, exact in ((np.flatnonzero(~pruned), True), (np.flatnonzero(pruned), False)):
                width, least = (count, floor) if exact else (_WIDER * count, floor / 3)
                query, form, similarity = _largest(search, rare[rows], width, least)
                query = rows[query]
                if not exact:
                    similarity = _similarity(index, some, query, form)
                parts.append((low + query, form, similarity))
    query, form, similarity = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((form, -similarity, query))
    query, form, similarity = query[order], form[order], similarity[order]
    rank = np.arange(len(query)) - np.searchsorted(query, query)
    kept = (rank < count) & (similarity > floor)
    return query[kept], form[kept], np.clip(similarity[kept], 0.0, 1.0)


def similarities(
    index: GramIndex,
    forms: Sequence[str],
    query: npt.NDArray[np.int64],
    row: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Similarities of given pairs, for what another search found.

    Args:
        index: the index.
        forms: normal forms.
        query, row: positions in ``forms``, ascending, and rows of the index, shape (pairs,).

    Returns:
        Cosines in 0 to 1, shape (pairs,).
    """
    queries = weigh_queries(index, forms)
    found = [np.empty(0, dtype=np.float64)]
    for low in range(0, len(forms), _BATCH):
        pairs = slice(*np.searchsorted(query, [low, low + _BATCH]))
        some = queries[low : low + _BATCH]
        found.append(_similarity(index, some, query[pairs] - low, row[pairs]))
    return np.clip(np.concatenate(found), 0.0, 1.0)


def _rarest(search: GramSearch, queries: sparse.csr_matrix) -> sparse.csr_matrix:
    """The 3-grams of each query that candidates are sought by."""
    count = np.diff(queries.indptr)
    row = np.repeat(np.arange(len(count)), count)
    postings = search.postings[queries.indices]
    order = np.lexsort((queries.indices, postings, row))
    place = np.arange(len(row)) - queries.indptr[row]

    def sums(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        # One row a query: running sums over all in turn would round by what stands before.
        table = np.zeros((len(count), max(count.max(initial=0), 1)))
        table[row, place] = values[order]
        return np.cumsum(table, axis=1)

    square = queries.data.astype(np.float64) ** 2
    weight = sums(square)
    cost = sums(postings.astype(np.float64))[row, place]
    left_out = np.where(cost > _PLENTY, _MOST_LEFT_OUT, _LEFT_OUT)
    needed = weight[row, place] - square[order] < (1 - left_out**2) * weight[row, -1]
    kept = needed | (cost <= _BUDGET)
    chosen = order[kept]
    start = row_starts(np.bincount(row[kept], minlength=len(count)))
    return sparse.csr_matrix(
        (queries.data[chosen], queries.indices[chosen], start.astype(np.int32)),
        shape=queries.shape,
    )


def _largest(search: GramSearch, queries: sparse.csr_matrix, count: int, floor: float) -> Found:
    """For each query the forms with the largest sums above ``floor``."""
    nothing = np.empty(0, dtype=np.int64)
    if not queries.nnz:
        return nothing, nothing, np.empty(0, dtype=np.float64)
    found = [
        sp_matmul_topn(queries, matrix, top_n=count, threshold=floor, n_threads=1)
        for matrix in search.matrices
    ]
    best = zip_sp_matmul_topn(count, found)
    query = np.repeat(np.arange(queries.shape[0], dtype=np.int64), np.diff(best.indptr))
    column = best.indices.astype(np.int64)
    block = np.searchsorted(search.first, column, side="right") - 1
    within = column - search.first[block]
    form = np.empty(len(column), dtype=np.int64)
    for number in np.unique(block).tolist():
        here, rows = block == number, search.forms[number]
        form[here] = rows[within[here]] if len(rows) > 1 else rows[0] + within[here]
    return query, form, best.data.astype(np.float64)


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
    cell = np.repeat(query * table.shape[1], length) + number[index.gram[position]]
    cosine = np.bincount(pair, table.reshape(-1)[cell] * index.value[position], len(form))
    return cosine.astype(np.float64, copy=False)
