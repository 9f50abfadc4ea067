"""How often a name that was held back finds its concept by its nearest name."""

from __future__ import annotations

import numpy as np

from ontologies.dense import DenseSearch, nearest
from ontologies.encoder import NameEncoder
from ontologies.training.synonyms import Synonyms

MOST_NAMES = 20_000
"""Names that held-out names are looked up among: the names of their concepts, and others by lot."""


class Judge:
    """Held-out names, and names that they are looked up among."""

    def __init__(self, known: Synonyms, apart: Synonyms, seed: int) -> None:
        """Choose the names.

        Args:
            known: what the held-out names are looked up among.
            apart: the held-out names.
            seed: of the choice.
        """
        asked = np.isin(known.concept, apart.concept)
        rest = np.random.default_rng(seed).permutation(np.flatnonzero(~asked))
        chosen = np.sort(np.concatenate([np.flatnonzero(asked), rest])[:MOST_NAMES])
        self._names = [known.texts[row] for row in known.text[chosen]]
        self._concepts = known.concept[chosen]
        self._asked = [apart.texts[row] for row in apart.text]
        self._wanted = apart.concept

    def share(self, encoder: NameEncoder) -> float:
        """Share of held-out names whose nearest name has their concept; 0 if none is held out."""
        if not self._asked:
            return 0.0
        vectors = encoder.encode(self._names).astype(np.float16)
        search = DenseSearch(vectors, np.arange(len(vectors)))
        query, row, _ = nearest(search, encoder.encode(self._asked), 1)
        return float((self._concepts[row] == self._wanted[query]).mean())
