"""Which names of a step mean the same, which do not, and which pairs teach nothing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ontologies.training.synonyms import Synonyms


class Relations:
    """Looks up how the names of a step stand to each other."""

    def __init__(self, synonyms: Synonyms) -> None:
        """Note which texts mean several concepts."""
        self._concepts = synonyms.concepts
        self._meanings = np.sort(synonyms.text * synonyms.concepts + synonyms.concept)
        self._ambiguous = np.bincount(synonyms.text, minlength=len(synonyms.texts)) > 1

    def of(
        self, text: npt.NDArray[np.int64], concept: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Positive and negative pairs.

        A text that stands for one concept here may mean another one too: with names of that it is
        neither positive nor negative. Nor is a text with itself.

        Args:
            text, concept: the step's names and what each stands for, shape (names,).

        Returns:
            Two boolean arrays of shape (names, names).
        """
        alike = concept[:, None] == concept[None, :]
        itself = text[:, None] == text[None, :]
        open_ = itself.copy()
        for row in np.flatnonzero(self._ambiguous[text]):
            also = self._means(text[row] * self._concepts + concept)
            open_[row] |= also
            open_[:, row] |= also
        return alike & ~itself, ~alike & ~open_

    def _means(self, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        place = np.minimum(np.searchsorted(self._meanings, keys), len(self._meanings) - 1)
        return np.asarray(self._meanings[place] == keys)
