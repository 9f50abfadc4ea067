"""An open dictionary: a store's names, and what of them is let through as mentions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nlp.dictionary.context import is_rest_of_chemical, may_mean
from nlp.dictionary.labels import LABEL_ORDER, NO_LABEL, concept_labels
from nlp.dictionary.matches import Joined, Matches, find_matches, plain_keys
from nlp.dictionary.overlap import longest
from nlp.dictionary.stop_words import stop_forms
from nlp.dictionary.tokens import Ints, Tokenizer
from nlp.ner.decode import Span
from nlp.settings import DictionarySettings
from ontologies.phrases import Keys
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
        self._tokenizer = Tokenizer()
        self._stop_keys = _keys_as_written(self._tokenizer, sorted(stop_forms(settings.stop_words)))

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
        label = self._labels[self._concepts(found)]
        kept = _places_that_stay(found.start, found.end, label)
        start, end, label = found.start[kept], found.end[kept], label[kept]
        text = np.searchsorted(joined.offset, start, side="right") - 1
        offset = joined.offset[text]
        spans: list[list[Span]] = [[] for _ in texts]
        for number, first, last, which in zip(
            text.tolist(),
            (start - offset).tolist(),
            (end - offset).tolist(),
            label.tolist(),
            strict=True,
        ):
            spans[number].append(Span(first, last, LABEL_ORDER[which], SCORE))
        return spans

    def _concepts(self, found: Matches) -> npt.NDArray[np.int32]:
        return np.asarray(self._store.names.concept[self._store.phrases.name[found.row]])

    def _allowed(self, text: str, found: Matches) -> Matches:
        """The matches that no filter takes out."""
        found = found.where(found.end - found.start >= self._settings.min_characters)
        found = found.where(~np.isin(found.plain, self._stop_keys))
        label = self._labels[self._concepts(found)]
        found, label = found.where(label != NO_LABEL), label[label != NO_LABEL]
        length = found.end - found.start
        name = self._store.phrases.name[found.row]
        kept = np.ones(len(label), dtype=np.bool_)
        for i in np.flatnonzero(label == LABEL_ORDER.index("Chemical")).tolist():
            kept[i] = not is_rest_of_chemical(text, int(found.start[i]))
        short = np.flatnonzero(kept & (length <= self._settings.same_case))
        for i, written in zip(short.tolist(), self._store.name_texts(name[short]), strict=True):
            kept[i] = may_mean(text, int(found.start[i]), int(found.end[i]), written)
        return found.where(kept)


def _keys_as_written(tokenizer: Tokenizer, phrases: Sequence[str]) -> Keys:
    """Keys of phrases that matches are compared to by their words as written."""
    every = [tokenizer.words(phrase) for phrase in phrases]
    start = np.zeros(1, dtype=np.int64)
    return np.concatenate([plain_keys(words, start, len(words.plain)) for words in every])


def _places_that_stay(start: Ints, end: Ints, label: npt.NDArray[np.int8]) -> Ints:
    """Rows of the matches that stay, in text order: of one place the one whose label comes first.

    Most matches overlap no other; only the others need the rule of ``overlap.longest``.
    """
    order = np.lexsort((label, end, start))
    first, last = start[order], end[order]
    again = np.zeros(len(order), dtype=np.bool_)
    again[1:] = (first[1:] == first[:-1]) & (last[1:] == last[:-1])
    order, first, last = order[~again], first[~again], last[~again]
    clear = np.ones(len(order), dtype=np.bool_)
    into_next = np.maximum.accumulate(last[:-1]) > first[1:]
    clear[1:] &= ~into_next
    clear[:-1] &= ~into_next
    crowded = np.flatnonzero(~clear)
    places = zip(first[crowded].tolist(), last[crowded].tolist(), strict=True)
    clear[crowded[longest(places)]] = True
    stay: Ints = order[clear]
    return stay
