"""An open dictionary: a store's names, and what of them is let through as mentions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nlp.dictionary.context import is_rest_of_chemical, may_mean
from nlp.dictionary.labels import LABEL_ORDER, NO_LABEL, concept_labels
from nlp.dictionary.matches import Joined, Matches, find_matches
from nlp.dictionary.overlap import longest
from nlp.dictionary.stop_words import stop_forms
from nlp.dictionary.tokens import Tokenizer
from nlp.ner.decode import Span
from nlp.settings import DictionarySettings
from ontologies.phrases import phrase_keys
from ontologies.store import ConceptStore

SCORE = 1.0
"""Of every match: a name stands in the text or does not, and nothing here says what it means."""


class Dictionary:
    """The names of one store as a source of mentions.

    Arrays of the store stay memory-mapped; in memory are one byte a concept and what the tokenizer
    remembers.
    """

    def __init__(self, store: ConceptStore, settings: DictionarySettings) -> None:
        """Choose the concepts that are wanted.

        Raises:
            DictionaryError: the file of stop words cannot be read.
        """
        self._store = store
        self._settings = settings
        self._labels = concept_labels(store, settings.labels, settings.types)
        self._stop_keys = np.sort(phrase_keys(sorted(stop_forms(settings.stop_words))))
        self._tokenizer = Tokenizer()

    def find(
        self, texts: Sequence[str], sentences: Sequence[Sequence[tuple[int, int]]]
    ) -> list[list[Span]]:
        """The mentions of each text, in text order; none overlaps another.

        What is found in a text depends on store, settings, the text and its sentences alone.

        Args:
            texts: as they stand.
            sentences: of each text, (start, end) in its characters, in text order; no match goes
                over the start of one.
        """
        joined = Joined.of(texts)
        found = find_matches(self._tokenizer, self._store.phrases, joined, sentences)
        found = self._allowed(joined.text, found)
        spans: list[list[Span]] = [[] for _ in texts]
        label = self._labels[self._concepts(found)]
        # Of the names at one place the one whose label comes first decides.
        order = np.lexsort((label, found.end, found.start))
        places = list(zip(found.start[order].tolist(), found.end[order].tolist(), strict=True))
        numbers = label[order].tolist()
        for i in longest(places):
            start, end = places[i]
            text = int(np.searchsorted(joined.offset, start, side="right")) - 1
            offset = int(joined.offset[text])
            spans[text].append(Span(start - offset, end - offset, LABEL_ORDER[numbers[i]], SCORE))
        return spans

    def _concepts(self, found: Matches) -> npt.NDArray[np.int32]:
        return np.asarray(self._store.names.concept[self._store.phrases.name[found.row]])

    def _allowed(self, text: str, found: Matches) -> Matches:
        """The matches that no filter takes out."""
        found = found.where(found.end - found.start >= self._settings.min_characters)
        found = found.where(~np.isin(found.key, self._stop_keys))
        label = self._labels[self._concepts(found)]
        found, label = found.where(label != NO_LABEL), label[label != NO_LABEL]
        kept = np.ones(len(label), dtype=np.bool_)
        chemical = np.flatnonzero(label == LABEL_ORDER.index("Chemical"))
        kept[chemical] = [
            not is_rest_of_chemical(text, start) for start in found.start[chemical].tolist()
        ]
        short = np.flatnonzero(found.end - found.start <= self._settings.same_case)
        kept[short] &= [
            may_mean(text, start, end, name)
            for start, end, name in zip(
                found.start[short].tolist(),
                found.end[short].tolist(),
                self._store.name_texts(self._store.phrases.name[found.row[short]]),
                strict=True,
            )
        ]
        return found.where(kept)
