"""An index of passages for questions that are known beforehand."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import bm25s
import numpy as np
import numpy.typing as npt

from flows.retrieval.words import search_words
from nlp.language_settings import RetrievalSettings

logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to tell everything

_OTHER = 0
"""Number of all words that no question has: they make a passage longer, and nothing else."""

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Query:
    """A question as it is searched for.

    Attributes:
        words: numbers of its distinct words, in their order.
        phrases: numbers of the distinct phrases in it that name a concept.
    """

    words: tuple[int, ...]
    phrases: tuple[int, ...] = ()


@dataclass(frozen=True)
class Vocabulary:
    """The words of all questions: only these are kept of passages, by their numbers from 1."""

    number: Mapping[str, int]

    @classmethod
    def of(cls, questions: Iterable[str]) -> Vocabulary:
        """Number the words of questions."""
        words = dict.fromkeys(word for text in questions for word in search_words(text))
        return cls({word: number for number, word in enumerate(words, start=1)})

    def query(self, text: str, phrases: Sequence[int] = ()) -> Query:
        """A question whose text was given to :meth:`of`."""
        words = dict.fromkeys(self.number[word] for word in search_words(text))
        return Query(tuple(words), tuple(dict.fromkeys(phrases)))

    def encode(self, text: str) -> array[int]:
        """The words of a passage as numbers, 4 bytes each."""
        number = self.number
        return array("i", [number.get(word, _OTHER) for word in search_words(text)])


class PassageIndex:
    """Passages by words and concepts.

    Words are weighed by BM25 (Robertson and Zaragoza 2009) in Lucene's form, which bm25s
    implements (Lu 2024, arXiv:2407.03618). A phrase of the question that names a concept counts as
    one more word, of which a passage has as many as it has mentions linked to that concept or to a
    narrower one, times ``concept_weight``. The mention's assertion is not looked at: a passage that
    denies a disease bears on the question whether the patient has it.

    A passage is known by its number, 0, 1, 2 ... as they are added.
    """

    def __init__(self, vocabulary: Vocabulary, settings: RetrievalSettings) -> None:
        """Start without passages."""
        self._vocabulary = vocabulary
        self._settings = settings
        self._words: list[array[int]] = []
        self._rank = array("q")
        self._of_phrase: dict[int, tuple[array[int], array[int]]] = {}
        self._bm25: bm25s.BM25 | None = None
        self._norm = np.zeros(0)

    def __len__(self) -> int:
        """Number of passages."""
        return len(self._norm) if self._bm25 is not None else len(self._words)

    def add(self, text: str, phrases: Mapping[int, int], rank: int = 0) -> None:
        """Add a passage, and of each phrase the mentions it has.

        Of passages that fit equally well that of the lower rank comes first, then the earlier.
        """
        self._rank.append(rank)
        for phrase, mentions in phrases.items():
            rows, counts = self._of_phrase.setdefault(phrase, (array("q"), array("i")))
            rows.append(len(self._words))
            counts.append(mentions)
        self._words.append(self._vocabulary.encode(text))

    def close(self) -> None:
        """Weigh the words of all passages; none can be added any more."""
        settings = self._settings
        lengths = np.array([len(words) for words in self._words], dtype=np.float64)
        mean = lengths.mean() if lengths.any() else 1.0
        self._norm = settings.k1 * (1 - settings.b + settings.b * lengths / mean)
        self._bm25 = bm25s.BM25(k1=settings.k1, b=settings.b, method="lucene")
        if not lengths.any():  # bm25s takes no empty corpus
            self._words = [array("i", [_OTHER])] * max(1, len(self._words))
        vocabulary = {"": _OTHER, **self._vocabulary.number}
        self._bm25.index((self._words, vocabulary), show_progress=False)
        self._words = []

    def scores(self, query: Query) -> Scores:
        """How well each passage fits, shape (passages,); 0 where it shares nothing with it."""
        assert self._bm25 is not None, "the index is not closed"
        count = len(self._norm)
        total = np.zeros(count)
        if query.words and count:
            total += self._bm25.get_scores_from_ids(list(query.words))[:count]
        for phrase in query.phrases:
            if self._settings.concept_weight and phrase in self._of_phrase:
                total += self._settings.concept_weight * self._phrase_scores(phrase, count)
        return total

    def best(self, query: Query, least: float | None = None) -> list[tuple[int, float]]:
        """The best passages and their scores, from the best on, as many as the settings say.

        Args:
            query: what they are to fit.
            least: the lowest score that counts; None = they must share a word or a concept.
        """
        scores, wanted = self.scores(query), self._settings.passages
        found = np.flatnonzero(scores > 0 if least is None else scores >= least)
        if len(found) > wanted:
            bound = np.partition(scores[found], len(found) - wanted)[len(found) - wanted]
            found = found[scores[found] >= bound]
        rank = np.frombuffer(self._rank, dtype=np.int64)[found]
        order = found[np.lexsort((found, rank, -scores[found]))][:wanted]
        return [(int(row), float(scores[row])) for row in order]

    def _phrase_scores(self, phrase: int, count: int) -> Scores:
        rows, counts = (
            np.frombuffer(part, dtype=part.typecode) for part in self._of_phrase[phrase]
        )
        idf = np.log1p((count - len(rows) + 0.5) / (len(rows) + 0.5))
        scores = np.zeros(count)
        scores[rows] = idf * counts / (counts + self._norm[rows])
        return scores
