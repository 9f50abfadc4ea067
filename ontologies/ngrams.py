"""Near matches: cosine similarity of TF-IDF weighted character 3-grams of folded texts.

The measure of scispaCy's candidate generator (Neumann et al. 2019, https://aclanthology.org/
W19-5034), computed exactly with a sparse top-n product instead of an approximate graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sparse_dot_topn import sp_matmul_topn

from ontologies.normalise import folded_text

_BITS = 21  # a Unicode code point fits in 21 bits, three of them in a 64-bit key
_BUILD_BATCH = 200_000


@dataclass(frozen=True)
class GramIndex:
    """The weighted 3-grams of distinct forms, compressed by rows.

    Attributes:
        vocabulary: keys of all 3-grams, sorted, shape (grams,), uint64.
        weight: inverse document frequency of each 3-gram, shape (grams,), float32.
        start, gram, value: CSR matrix of shape (forms, grams) whose rows have length 1 (int64,
            int32, float32).
    """

    vocabulary: npt.NDArray[np.uint64]
    weight: npt.NDArray[np.float32]
    start: npt.NDArray[np.int64]
    gram: npt.NDArray[np.int32]
    value: npt.NDArray[np.float32]


@dataclass(frozen=True)
class GramSearch:
    """The part of an index that one restriction allows, turned for searching.

    Attributes:
        matrix: CSR matrix of shape (grams, allowed forms).
        form: row in the index of each allowed form, shape (allowed forms,).
    """

    matrix: sparse.csr_matrix
    form: npt.NDArray[np.int64]


def index_grams(forms: Sequence[str]) -> GramIndex:
    """Index distinct, non-empty normal forms. Weights are ln((1 + n) / (1 + df)) + 1."""
    batches = [forms[i : i + _BUILD_BATCH] for i in range(0, len(forms), _BUILD_BATCH)]
    vocabulary = np.empty(0, dtype=np.uint64)
    frequency = np.empty(0, dtype=np.int64)
    for batch in batches:
        row, key = _grams(batch)
        pairs = _distinct(row, key)[1]
        keys, inverse = np.unique(np.concatenate([vocabulary, pairs]), return_inverse=True)
        counts = np.concatenate([frequency, np.ones(len(pairs), dtype=np.int64)])
        vocabulary, frequency = keys, np.bincount(inverse, counts, len(keys)).astype(np.int64)
    weight = (np.log((1 + len(forms)) / (1 + frequency)) + 1).astype(np.float32)
    parts = [_weigh(vocabulary, weight, batch) for batch in batches]
    rows = sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix((0, 0))
    return GramIndex(
        vocabulary=vocabulary,
        weight=weight,
        start=rows.indptr.astype(np.int64),
        gram=rows.indices.astype(np.int32),
        value=rows.data.astype(np.float32),
    )


def restrict(index: GramIndex, allowed: npt.NDArray[np.bool_]) -> GramSearch:
    """Keep the forms where ``allowed``, shape (forms,), is true."""
    shape = (len(index.start) - 1, len(index.vocabulary))
    # int32 offsets where they suffice: the product would otherwise copy every index array.
    small = len(index.gram) < np.iinfo(np.int32).max
    start = index.start.astype(np.int32) if small else index.start
    rows = sparse.csr_matrix((index.value, index.gram, start), shape=shape, copy=False)
    form = np.flatnonzero(allowed)
    return GramSearch(matrix=rows[form].T.tocsr(), form=form)


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
        Three arrays of one length: position in ``forms``, row in the index, similarity in 0 to 1.
    """
    if not len(forms) or not len(search.form) or not len(index.vocabulary):
        nothing = np.empty(0, dtype=np.int64)
        return nothing, nothing, np.empty(0, dtype=np.float64)
    queries = _weigh(index.vocabulary, index.weight, forms)
    found = sp_matmul_topn(
        queries, search.matrix, top_n=count, threshold=floor, sort=True, n_threads=1
    )
    query = np.repeat(np.arange(len(forms), dtype=np.int64), np.diff(found.indptr))
    similarity = np.clip(found.data.astype(np.float64), 0.0, 1.0)
    return query, search.form[found.indices], similarity


def _weigh(
    vocabulary: npt.NDArray[np.uint64], weight: npt.NDArray[np.float32], forms: Sequence[str]
) -> sparse.csr_matrix:
    """Rows of TF-IDF weights of length 1, shape (forms, grams); tf is 1 + ln(count).

    3-grams outside the vocabulary count in the length with the largest weight: a name with a
    part that no indexed name has is less similar to all of them.
    """
    row, key = _grams(forms)
    row, key, count = _distinct(row, key)
    gram = np.minimum(np.searchsorted(vocabulary, key), max(len(vocabulary) - 1, 0))
    known = vocabulary[gram] == key
    weights = np.where(known, weight[gram], weight.max(initial=0.0))
    value = weights * (1 + np.log(count))
    length = np.sqrt(np.bincount(row, value * value, len(forms)))
    value = (value / length[row])[known].astype(np.float32)
    start = np.concatenate([[0], np.cumsum(np.bincount(row[known], minlength=len(forms)))])
    return sparse.csr_matrix(
        (value, gram[known].astype(np.int32), start.astype(np.int32)),
        shape=(len(forms), len(vocabulary)),
    )


def _grams(forms: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """Row and key of every 3-gram of the forms' folded texts, with a space on either side."""
    texts = [f" {folded_text(form)} " for form in forms]
    codes = "".join(texts).encode("utf-32-le", "surrogatepass")
    code = np.frombuffer(codes, dtype="<u4").astype(np.uint64)
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    row = np.repeat(np.arange(len(texts), dtype=np.int64), lengths)
    inside = row[:-2] == row[2:]
    key = (code[:-2] << np.uint64(2 * _BITS)) | (code[1:-1] << np.uint64(_BITS)) | code[2:]
    return row[:-2][inside], key[inside]


def _distinct(
    row: npt.NDArray[np.int64], key: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Distinct (row, key) pairs, sorted, and how often each occurs."""
    order = np.lexsort((key, row))
    row, key = row[order], key[order]
    new = np.ones(len(row), dtype=np.bool_)
    new[1:] = (row[1:] != row[:-1]) | (key[1:] != key[:-1])
    first = np.flatnonzero(new)
    return row[first], key[first], np.diff(np.append(first, len(row)))
