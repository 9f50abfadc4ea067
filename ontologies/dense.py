"""Near matches by meaning: cosine similarity of a sentence encoder's vectors of names.

SapBERT's way of linking (Liu et al. 2021, https://aclanthology.org/2021.naacl-main.334/): the
nearest names of all, by an exact product of matrices. On a GPU nine million names of 384
dimensions are 7 GB in half precision and a product takes milliseconds, so that there is no
approximate index to build, tune and mistrust.

Vectors lie in ``STORE/dense/<fingerprint>/``, one row for each distinct normal form, in the order
of the store's ``forms``; ``ontologies/dense_build.py`` writes them. Nothing here loads an encoder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ontologies.errors import OntologyError
from ontologies.normalise import normal_form
from ontologies.store import ConceptStore

if TYPE_CHECKING:
    import torch

DENSE_FOLDER = "dense"
MANIFEST_FILE = "dense.json"
VECTORS_FILE = "vectors.npy"
DENSE_VERSION = 1
"""Raised when other texts are encoded, or in another order; part of the folder's name."""

ENCODE = "encode it: charthouse ontology encode STORE --encoder"

_ROWS = 8192
_QUERIES = 1024
_UPLOAD_ROWS = 1 << 18
_CUDA_BYTES = 1 << 31
_ROUNDING = 1e-5  # of a float32 product of two vectors of length 1, with room

Match = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]
"""Position of the query, row of the index, similarity: arrays of one length."""


@dataclass(frozen=True)
class DenseInfo:
    """What ``dense.json`` says.

    Attributes:
        encoder: public name of the encoder.
        pooling: ``mean`` or ``cls``.
        fingerprint: of the encoder, see ``encoder_source.encoder_fingerprint``.
        dimension, rows: of the vectors.
        release_id: of the store they belong to.
    """

    encoder: str
    pooling: str
    fingerprint: str
    dimension: int
    rows: int
    release_id: str


@dataclass(frozen=True)
class DenseIndex:
    """Vectors of a store's forms, memory-mapped: shape (forms, dimension), float16.

    Rounded to half precision, lengths are 1 to 0.001.
    """

    info: DenseInfo
    vectors: npt.NDArray[np.float16]


@dataclass(frozen=True)
class DenseSearch:
    """The part of an index that one restriction allows.

    Attributes:
        vectors: of all forms; nothing is copied but what a search reads block by block.
        form: rows of the allowed ones, ascending, shape (allowed forms,).
        on_device: vectors of the allowed ones on a GPU; None where the search runs on the CPU.
    """

    vectors: npt.NDArray[np.float16]
    form: npt.NDArray[np.int64]
    on_device: torch.Tensor | None = None


def dense_text(name: str) -> str:
    """What of a name is encoded, in a store and in a query."""
    return normal_form(name)


def form_count(store: ConceptStore) -> int:
    """How many vectors a store has: one for each distinct normal form."""
    return len(store.forms.name_start) - 1


def form_texts(store: ConceptStore, start: int, end: int) -> list[str]:
    """Texts to encode for a range of the store's forms."""
    first = store.forms.name[store.forms.name_start[start:end]]
    return [dense_text(name) for name in store.name_texts(first)]


def dense_folder(store: Path, fingerprint: str) -> Path:
    """Where the vectors of an encoder are kept."""
    return store / DENSE_FOLDER / f"{fingerprint[:16]}-{DENSE_VERSION}"


def open_dense(store: ConceptStore, fingerprint: str, encoder: str = "ENCODER") -> DenseIndex:
    """Open the vectors of a store; they are memory-mapped, nothing is read ahead.

    Args:
        store: an open store.
        fingerprint: of the encoder.
        encoder: its name, for the message.

    Raises:
        OntologyError: the store was not encoded by this encoder, or the files are damaged or of
            another release.
    """
    folder = dense_folder(store.path, fingerprint)
    if not folder.is_dir():
        raise OntologyError(
            f"{store.path}: holds no vectors of the encoder {encoder}; {ENCODE} {encoder}"
        )
    damaged = f"{folder}: is damaged; remove it and {ENCODE} {encoder}"
    try:
        info = DenseInfo(**json.loads((folder / MANIFEST_FILE).read_bytes()))
        # An array of no elements cannot be mapped.
        mode: Literal["r"] | None = "r" if info.rows else None
        vectors = np.asarray(np.load(folder / VECTORS_FILE, mmap_mode=mode, allow_pickle=False))
    except (OSError, ValueError, TypeError) as error:
        raise OntologyError(damaged) from error
    if vectors.shape != (form_count(store), info.dimension) or vectors.dtype != np.float16:
        raise OntologyError(damaged)
    if info.release_id != store.release.release_id:
        raise OntologyError(
            f"{folder}: belongs to release {info.release_id}, the store is "
            f"{store.release.release_id}; remove it and {ENCODE} {encoder}"
        )
    return DenseIndex(info, vectors)


def list_dense(store: Path) -> list[DenseInfo]:
    """What a store was encoded by, by name of the encoder; unreadable folders are passed over."""
    found = []
    for file in sorted((store / DENSE_FOLDER).glob(f"*/{MANIFEST_FILE}")):
        try:
            found.append(DenseInfo(**json.loads(file.read_bytes())))
        except (OSError, ValueError, TypeError):
            continue
    return sorted(found, key=lambda info: (info.encoder, info.fingerprint))


def restrict(index: DenseIndex, allowed: npt.NDArray[np.bool_], device: str = "cpu") -> DenseSearch:
    """Keep the forms where ``allowed``, shape (forms,), is true.

    Args:
        index: an open index.
        allowed: which of its rows.
        device: ``cpu``, or a CUDA device, which then holds the allowed vectors in half precision.

    Raises:
        OntologyError: the device has not enough memory.
    """
    form = np.flatnonzero(allowed)
    if device == "cpu":
        return DenseSearch(index.vectors, form)
    import torch

    shape = (len(form), index.vectors.shape[1])
    try:
        held = torch.empty(shape, dtype=torch.float16, device=device)
        for start in range(0, len(form), _UPLOAD_ROWS):
            part = torch.from_numpy(index.vectors[form[start : start + _UPLOAD_ROWS]])
            held[start : start + len(part)] = part
    except torch.OutOfMemoryError as error:
        size = 2 * shape[0] * shape[1] / 1e9
        raise OntologyError(
            f"{shape[0]:,} vectors ({size:.1f} GB) do not fit on {device}; search on the cpu"
        ) from error
    return DenseSearch(index.vectors, form, held)


def nearest(
    search: DenseSearch, queries: npt.NDArray[np.float32], count: int, floor: float = -1.0
) -> Match:
    """The most similar forms of each query, exactly; ties go to the lower row.

    Similarities are float32 sums over a pair's own numbers, so that what a query finds is the same
    to the last digit whatever it comes with. On CUDA half precision chooses what is summed again:
    a form may be missed that is within 0.002 of the last one kept.

    Args:
        search: the allowed part of an index.
        queries: vectors of length 1, shape (queries, dimension).
        count: at most this many per query.
        floor: only similarities above this.

    Returns:
        Position of the query, row in the index, similarity; by query, the most similar first.
    """
    parts = []
    for start in range(0, len(queries), _QUERIES):
        block = queries[start : start + _QUERIES]
        if not len(search.form) or count < 1:
            break
        if search.on_device is not None:
            query, row = _near_on_device(search.on_device, block, count)
        else:
            query, row = _near(search, block, count, floor)
        row = search.form[row]
        score = pair_similarity(block[query], search.vectors[row])
        keep = score > floor
        query, row, score = query[keep], row[keep], score[keep]
        first = _leading(query, row, score, count)
        parts.append((query[first] + start, row[first], score[first]))
    if not parts:
        nothing = np.empty(0, dtype=np.int64)
        return nothing, nothing, np.empty(0, dtype=np.float64)
    query, row, score = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return query, row, score.astype(np.float64)


def similarity(
    index: DenseIndex,
    queries: npt.NDArray[np.float32],
    query: npt.NDArray[np.integer[Any]],
    row: npt.NDArray[np.integer[Any]],
) -> npt.NDArray[np.float64]:
    """Similarities of given pairs, for ranking again what another search found.

    Args:
        index: an open index.
        queries: vectors of length 1, shape (queries, dimension).
        query, row: positions in ``queries`` and rows of the index, shape (pairs,).

    Returns:
        Cosines, shape (pairs,); each depends on its pair alone.
    """
    out = np.empty(len(query), dtype=np.float64)
    for start in range(0, len(query), _ROWS):
        part = slice(start, start + _ROWS)
        out[part] = pair_similarity(queries[query[part]], index.vectors[row[part]])
    return out


def pair_similarity(
    left: npt.NDArray[np.floating[Any]], right: npt.NDArray[np.floating[Any]]
) -> npt.NDArray[np.float32]:
    """Row by row products in float32, held to -1 to 1."""
    left, right = left.astype(np.float32, copy=False), right.astype(np.float32, copy=False)
    products: npt.NDArray[np.float32] = np.einsum("ij,ij->i", left, right)
    return np.clip(products, -1.0, 1.0)


def _near(
    search: DenseSearch, queries: npt.NDArray[np.float32], count: int, floor: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs that are among the nearest, and some more: by blocks, above a bar that rises."""
    bar = np.full(len(queries), floor, dtype=np.float32)
    query, row = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    score = np.empty(0, dtype=np.float32)
    for start in range(0, len(search.form), _ROWS):
        block = search.vectors[search.form[start : start + _ROWS]].astype(np.float32)
        scores = queries @ block.T
        if start == 0 and len(block) > count:
            bar = np.maximum(bar, np.partition(scores, -count, axis=1)[:, -count])
        above, column = np.nonzero(scores >= (bar - _ROUNDING)[:, None])
        query = np.concatenate([query, above])
        row = np.concatenate([row, column + start])
        score = np.concatenate([score, scores[above, column]])
        first = _leading(query, row, score, count)
        full = np.bincount(query[first], minlength=len(queries)) >= count
        lowest = np.full(len(queries), np.inf, dtype=np.float32)
        np.minimum.at(lowest, query[first], score[first])
        bar = np.where(full, np.maximum(bar, lowest), bar)
        kept = score >= (bar - _ROUNDING)[query]
        query, row, score = query[kept], row[kept], score[kept]
    return query, row


def _near_on_device(
    vectors: torch.Tensor, queries: npt.NDArray[np.float32], count: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The same by products in half precision, with as many again for what they round."""
    import torch

    asked = torch.from_numpy(np.ascontiguousarray(queries)).to(vectors.device, vectors.dtype)
    wanted = min(2 * count + 16, len(vectors))
    rows = max(wanted, _CUDA_BYTES // (vectors.element_size() * len(queries)))
    values = asked.new_empty((len(queries), 0))
    places = torch.empty((len(queries), 0), dtype=torch.int64, device=vectors.device)
    for start in range(0, len(vectors), rows):
        scores = asked @ vectors[start : start + rows].T
        best, column = scores.topk(min(wanted, scores.shape[1]), dim=1)
        values = torch.cat([values, best], dim=1)
        places = torch.cat([places, column + start], dim=1)
        if values.shape[1] > wanted:
            values, chosen = values.topk(wanted, dim=1)
            places = places.gather(1, chosen)
    query = np.repeat(np.arange(len(queries)), places.shape[1])
    return query, places.flatten().cpu().numpy()


def _leading(
    query: npt.NDArray[np.int64],
    row: npt.NDArray[np.int64],
    score: npt.NDArray[np.float32],
    count: int,
) -> npt.NDArray[np.int64]:
    """Positions of each query's first ``count`` pairs: by query, score falling, row rising."""
    order = np.lexsort((row, -score, query))
    begins = np.searchsorted(query[order], query[order], side="left")
    first: npt.NDArray[np.int64] = order[np.arange(len(order)) - begins < count]
    return first
