"""A store's names together with the language model that writes them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ontologies.store import FORBIDDEN, ConceptStore
from ontologies.writing.names import named_trie
from ontologies.writing.settings import WriterSettings
from ontologies.writing.source import find_writer
from ontologies.writing.trie import NamedTrie, NameTrie, restrict

if TYPE_CHECKING:
    from ontologies.writing.model import Writer

Pairs = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float64]]
"""Positions of names asked for, rows of names of the store, and scores in 0 to 1."""


class Writing:
    """An open store and a loaded model; tries per restriction are kept."""

    def __init__(self, store: ConceptStore, writer: str, template: str) -> None:
        """Load the model.

        Raises:
            OntologyError: it cannot be found or loaded.
        """
        self._store = store
        self._writer = _load(writer)
        self._template = template
        self._tries: dict[tuple[str, ...], NameTrie] = {}

    def written(self, texts: Sequence[str], types: tuple[str, ...], beams: int) -> Pairs:
        """The names the model writes for each text, of those that a concept allowed has.

        Args:
            texts: names as they are written.
            types: prefixes of the types allowed.
            beams: beginnings kept at each step, and names kept in the end.

        Returns:
            Pairs by text; a name that several concepts have stands once for each.
        """
        from ontologies.writing.beam import write_names  # takes seconds: torch

        prompts = self._writer.prompts(texts, self._template)
        query, sequence, score = write_names(self._writer, prompts, self._trie(types), beams)
        count, name = self._names.names(sequence)
        return np.repeat(query, count), name, np.repeat(score, count)

    def likelihood(
        self, texts: Sequence[str], query: npt.NDArray[np.int64], name: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.float64]:
        """How likely the model writes a name for a text, or the preferred name of its concept.

        The likelier of the two counts, shape (pairs,).
        """
        preferred = self._preferred[self._store.names.concept[name]]
        pairs, back = np.unique(
            np.stack([np.r_[query, query], np.r_[name, preferred]]), axis=1, return_inverse=True
        )
        prompts = self._writer.prompts(texts, self._template)
        names = self._writer.names(self._store.name_texts(pairs[1]), self._template)
        limit = self._writer.longest - 1
        nats = self._writer.likelihoods(
            [prompts[at] for at in pairs[0].tolist()], [its[:limit] for its in names]
        )
        own, of_preferred = nats[back.reshape(-1)].reshape(2, -1)
        return np.asarray(np.maximum(own, of_preferred))

    @cached_property
    def _names(self) -> NamedTrie:
        writer = self._writer
        return named_trie(
            self._store,
            writer.source,
            self._template,
            writer.longest,
            writer.end,
            lambda names: writer.names(names, self._template),
        )

    @cached_property
    def _preferred(self) -> npt.NDArray[np.int32]:
        """The row of each concept's preferred name, shape (concepts,)."""
        names = self._store.names
        rows = np.flatnonzero(names.preferred).astype(np.int32)
        preferred = np.zeros(len(self._store.concepts.identifier), dtype=np.int32)
        preferred[names.concept[rows]] = rows
        return preferred

    def _trie(self, types: tuple[str, ...]) -> NameTrie:
        if types not in self._tries:
            named = self._names
            concept = self._store.names.concept[named.name]
            allowed = self._store.permits(types)[concept] != FORBIDDEN
            if len(named.trie) and not allowed.all():
                of_sequence = np.logical_or.reduceat(allowed, named.name_start[:-1])
                self._tries[types] = restrict(named.trie, of_sequence)
            else:
                self._tries[types] = named.trie
        return self._tries[types]


_OPEN: dict[tuple[int, str, str], tuple[ConceptStore, Writing]] = {}


def writing_of(store: ConceptStore, settings: WriterSettings) -> Writing:
    """An open store with the model of the settings, loaded once.

    Raises:
        OntologyError: as of :class:`Writing`.
    """
    key = id(store), settings.writer, settings.writer_template
    if key not in _OPEN or _OPEN[key][0] is not store:
        _OPEN.clear()  # one store is linked to at a time
        _OPEN[key] = store, Writing(store, settings.writer, settings.writer_template)
    return _OPEN[key][1]


def require_writer(settings: WriterSettings) -> None:
    """Fail at the door where the model of the settings is not there; nothing is loaded.

    Raises:
        OntologyError: there is no such model.
    """
    if settings.writer:
        find_writer(settings.writer)


@lru_cache(maxsize=1)
def _load(writer: str) -> Writer:
    from ontologies.writing.model import Writer  # takes seconds: torch

    return Writer.open(writer)
