"""A store's vectors together with the encoder that made them, for linking by meaning."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ontologies import dense
from ontologies.encoder_source import Pooling, encoder_fingerprint, find_encoder
from ontologies.store import ConceptStore

if TYPE_CHECKING:
    from ontologies.encoder import NameEncoder


class Meaning:
    """An open store's vectors and their encoder; searches per restriction are kept."""

    def __init__(self, store: ConceptStore, encoder: str, pooling: Pooling | None) -> None:
        """Open the vectors and load the encoder.

        Raises:
            OntologyError: the encoder cannot be found or loaded, or the store was not encoded by
                it.
        """
        self._store = store
        self._index = dense.open_dense(store, fingerprint_of(encoder, pooling), encoder)
        self._encoder = _load(encoder, pooling)
        self._searches: dict[tuple[str, ...], dense.DenseSearch] = {}

    def vectors(self, forms: Sequence[str]) -> npt.NDArray[np.float32]:
        """Vectors of normal forms, shape (forms, dimension)."""
        return self._encoder.encode([dense.dense_text(form) for form in forms])

    def of_texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Vectors of texts as they are written, shape (texts, dimension)."""
        return self._encoder.encode(texts)

    def nearest(
        self, vectors: npt.NDArray[np.float32], types: tuple[str, ...], count: int
    ) -> dense.Match:
        """The forms that some concept allowed by ``types`` has and that are nearest to each."""
        if types not in self._searches:
            allowed = self._store.allowed_forms(types)
            device = self._encoder.device if self._encoder.device.startswith("cuda") else "cpu"
            self._searches[types] = dense.restrict(self._index, allowed, device)
        return dense.nearest(self._searches[types], vectors, count)

    def similarity(
        self,
        vectors: npt.NDArray[np.float32],
        query: npt.NDArray[np.int64],
        form: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.float64]:
        """Cosines of pairs of a vector and a form of the store."""
        return dense.similarity(self._index, vectors, query, form)


@lru_cache(maxsize=8)
def fingerprint_of(encoder: str, pooling: Pooling | None) -> str:
    """Fingerprint of an encoder by its name and, where its folder does not say, its pooling.

    Raises:
        OntologyError: there is no such encoder.
    """
    return encoder_fingerprint(find_encoder(encoder, pooling))


def require_vectors(store: ConceptStore, encoder: str, pooling: Pooling | None) -> None:
    """Fail at the door where a store cannot be linked to by an encoder.

    Raises:
        OntologyError: there is no such encoder, or the store was not encoded by it.
    """
    dense.open_dense(store, fingerprint_of(encoder, pooling), encoder)


_OPEN: dict[tuple[int, str, Pooling | None], tuple[ConceptStore, Meaning]] = {}


def meaning_of(store: ConceptStore, encoder: str, pooling: Pooling | None) -> Meaning:
    """The vectors of an open store, opened once.

    Raises:
        OntologyError: as of :class:`Meaning`.
    """
    key = id(store), encoder, pooling
    if key not in _OPEN or _OPEN[key][0] is not store:
        _OPEN.clear()  # one store is linked to at a time, and vectors may fill a GPU
        _OPEN[key] = store, Meaning(store, encoder, pooling)
    return _OPEN[key][1]


@lru_cache(maxsize=1)
def _load(encoder: str, pooling: Pooling | None) -> NameEncoder:
    from ontologies.encoder import NameEncoder  # takes seconds: torch

    return NameEncoder.open(encoder, pooling=pooling)
