"""Character 3-grams of forms, weighted by TF-IDF: the arrays that near matches are found by.

The measure of scispaCy's candidate generator (Neumann et al. 2019, https://aclanthology.org/
W19-5034): the cosine of TF-IDF vectors of the folded texts' 3-grams, a space on either side of a
text. ``ontologies/nearest.py`` searches by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ontologies.arrays import ArrayFile, array_path, row_starts
from ontologies.normalise import folded_text
from ontologies.pool import Spread
from ontologies.texts import TextRows

_BITS = 21  # a Unicode code point fits in 21 bits, three of them in a 64-bit key
_SPACE = 32


@dataclass(frozen=True)
class GramIndex:
    """The weighted 3-grams of distinct forms, by form and, within blocks of forms, by 3-gram.

    Attributes:
        vocabulary: keys of all 3-grams, sorted, shape (grams,), uint64.
        weight: inverse document frequency of each 3-gram, shape (grams,), float32.
        start, gram, value: CSR matrix of shape (forms, grams) whose rows have length 1 (int64,
            int32, float32).
        block: first form of each block and the end of the last, shape (blocks + 1,), int64.
        entry: first posting of each block and the end of the last, shape (blocks + 1,), int64.
        posting: for each block, where in it the postings of each 3-gram begin, shape (blocks,
            grams + 1), int32: offsets of one block fit in 32 bits, and so they can be searched
            as they lie on disk.
        form, weighted: of each posting, the form counted from its block's first (int32) and the
            form's value for the 3-gram (float32).
    """

    vocabulary: npt.NDArray[np.uint64]
    weight: npt.NDArray[np.float32]
    start: npt.NDArray[np.int64]
    gram: npt.NDArray[np.int32]
    value: npt.NDArray[np.float32]
    block: npt.NDArray[np.int64]
    entry: npt.NDArray[np.int64]
    posting: npt.NDArray[np.int32]
    form: npt.NDArray[np.int32]
    weighted: npt.NDArray[np.float32]


def write_grams(
    folder: Path,
    group: str,
    texts: TextRows,
    rows: npt.NDArray[np.int32],
    block: npt.NDArray[np.int64],
    spread: Spread,
) -> None:
    """Write the ``GramIndex`` of distinct forms, block by block.

    Weights are ln((1 + n) / (1 + df)) + 1.

    Args:
        folder, group: where the arrays go, and what they are called.
        texts: folded texts.
        rows: which of them is each form's, shape (forms,).
        block: as in ``GramIndex``.
        spread: runs a function over blocks.
    """

    def blocks() -> Iterator[TextRows]:
        for low, high in pairwise(block.tolist()):
            yield texts.take(rows[low:high])

    vocabulary, frequency = np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64)
    for keys, counts in spread(_frequencies, blocks()):
        both, where = np.unique(np.concatenate([vocabulary, keys]), return_inverse=True)
        total = np.bincount(where, np.concatenate([frequency, counts]), len(both))
        vocabulary, frequency = both, total.astype(np.int64)
    weight = (np.log((1 + len(rows)) / (1 + frequency)) + 1).astype(np.float32)

    def file(field: str, dtype: npt.DTypeLike, row: tuple[int, ...] = ()) -> ArrayFile:
        return ArrayFile(array_path(folder, group, field), dtype, row)

    with (
        file("start", np.int64) as start,
        file("gram", np.int32) as gram,
        file("value", np.float32) as value,
        file("entry", np.int64) as entry,
        file("posting", np.int32, (len(vocabulary) + 1,)) as posting,
        file("form", np.int32) as form,
        file("weighted", np.float32) as weighted,
    ):
        end = np.zeros(1, dtype=np.int64)
        start.append(end)
        entry.append(end)
        for forms, grams in spread(partial(_both_ways, vocabulary, weight), blocks()):
            start.append(end + forms.indptr[1:])
            gram.append(forms.indices)
            value.append(forms.data)
            posting.append(grams.indptr[None])
            form.append(grams.indices)
            weighted.append(grams.data)
            end = end + forms.nnz
            entry.append(end)
    for field, array in (("vocabulary", vocabulary), ("weight", weight), ("block", block)):
        np.save(array_path(folder, group, field), array, allow_pickle=False)


def weigh_queries(index: GramIndex, forms: Sequence[str]) -> sparse.csr_matrix:
    """TF-IDF weights of normal forms, rows of length 1, shape (forms, grams).

    3-grams outside the vocabulary count in the length with the largest weight: a name with a
    part that no indexed name has is less similar to all of them.
    """
    texts = [folded_text(form) for form in forms]
    # A query may hold what no UTF-8 text can: half a surrogate pair.
    codes = "".join(texts).encode("utf-32-le", "surrogatepass")
    length = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    return _weigh(index.vocabulary, index.weight, np.frombuffer(codes, dtype="<u4"), length)


def _frequencies(texts: TextRows) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """The 3-grams of some texts and in how many of them each is."""
    keys, _, gram, _ = _grams(*_codes(texts))
    return keys, np.bincount(gram, minlength=len(keys)).astype(np.int64)


def _both_ways(
    vocabulary: npt.NDArray[np.uint64], weight: npt.NDArray[np.float32], texts: TextRows
) -> tuple[sparse.csr_matrix, sparse.csc_matrix]:
    """A block's weights by form and by 3-gram."""
    rows = _weigh(vocabulary, weight, *_codes(texts))
    return rows, rows.tocsc()


def _weigh(
    vocabulary: npt.NDArray[np.uint64],
    weight: npt.NDArray[np.float32],
    code: npt.NDArray[np.uint32],
    length: npt.NDArray[np.int64],
) -> sparse.csr_matrix:
    """Weights of the 3-grams of texts given as code points; tf is 1 + ln(count)."""
    keys, row, gram, count = _grams(code, length)
    place = np.minimum(np.searchsorted(vocabulary, keys), max(len(vocabulary) - 1, 0))
    if len(vocabulary):
        known = vocabulary[place] == keys
        weights = np.where(known, weight[place], weight.max())
    else:
        known, weights = np.zeros(len(keys), np.bool_), np.zeros(len(keys), np.float32)
    value = weights[gram] * (1 + np.log(count))
    norm = np.sqrt(np.bincount(row, value * value, len(length)))
    kept = known[gram]
    start = row_starts(np.bincount(row[kept], minlength=len(length)))
    return sparse.csr_matrix(
        (
            (value[kept] / norm[row[kept]]).astype(np.float32),
            place[gram[kept]].astype(np.int32),
            start.astype(np.int32),
        ),
        shape=(len(length), len(vocabulary)),
    )


def _codes(texts: TextRows) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Code points of all texts in a row, and how many each text has."""
    codes = texts.text.tobytes().decode().encode("utf-32-le")
    # Bytes of the form 10xxxxxx go on with a character, all others begin one.
    begins = row_starts((texts.text & 0xC0) != 0x80)
    return np.frombuffer(codes, dtype="<u4"), np.diff(begins[texts.start])


def _grams(
    code: npt.NDArray[np.uint32], length: npt.NDArray[np.int64]
) -> tuple[
    npt.NDArray[np.uint64], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]
]:
    """The 3-grams of texts.

    Returns:
        The keys of all 3-grams, sorted; then, of every 3-gram of every text, sorted by both: the
        text's row, the position of the key, and how often it occurs.
    """
    text = np.arange(len(length), dtype=np.int64)
    row = np.repeat(text, length + 2)
    padded = np.full(len(row), _SPACE, dtype=np.uint64)
    padded[np.arange(len(code)) + 2 * np.repeat(text, length) + 1] = code
    inside = row[:-2] == row[2:]
    bits = np.uint64(_BITS)
    key = (((padded[:-2] << bits) | padded[1:-1]) << bits) | padded[2:]
    key = key[inside]
    keys = np.unique(key)
    # Sorting one number a 3-gram is many times faster than sorting rows and keys.
    pair = row[:-2][inside] * len(keys) + np.searchsorted(keys, key)
    pair.sort()
    first = np.flatnonzero(np.diff(pair, prepend=-1))
    row, gram = np.divmod(pair[first], max(len(keys), 1))
    return keys, row, gram, np.diff(first, append=len(pair))
