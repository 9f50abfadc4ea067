"""Helpers of the tests of 3-grams: an index of given forms, and similarity by its definition."""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ontologies.arrays import load_array
from ontologies.ngrams import GramIndex, write_grams
from ontologies.normalise import folded_text
from ontologies.texts import text_rows


def gram_index(forms: Sequence[str], block: Sequence[int] | None = None) -> GramIndex:
    """The index of forms in the order given, as it is read from its files."""
    cuts = np.array([0, len(forms)] if block is None else block, dtype=np.int64)
    texts = text_rows([folded_text(form) for form in forms])
    with tempfile.TemporaryDirectory() as folder:
        rows = np.arange(len(forms), dtype=np.int32)
        write_grams(Path(folder), "grams", texts, rows, np.unique(cuts), map)
        # Mapped files outlive their folder.
        return GramIndex(
            **{
                path.stem.removeprefix("grams."): load_array(path, writable=True)
                for path in Path(folder).iterdir()
            }
        )


def similarities(indexed: Sequence[str], asked: str) -> list[float]:
    """Cosine of TF-IDF vectors in plain Python."""

    def grams(form: str) -> Counter[str]:
        text = f" {folded_text(form)} "
        return Counter(text[i : i + 3] for i in range(len(text) - 2))

    documents = Counter(gram for form in indexed for gram in set(grams(form)))
    idf = {g: math.log((1 + len(indexed)) / (1 + n)) + 1 for g, n in documents.items()}
    unknown = max(idf.values(), default=0)

    def vector(form: str) -> dict[str, float]:
        return {g: (1 + math.log(n)) * idf.get(g, unknown) for g, n in grams(form).items()}

    def length(values: dict[str, float]) -> float:
        return math.sqrt(sum(value**2 for value in values.values()))

    left = vector(asked)

    def cosines() -> Iterator[float]:
        for right in map(vector, indexed):
            dot = sum(weight * right.get(gram, 0) for gram, weight in left.items())
            yield dot / (length(left) * length(right)) if left else 0.0

    return list(cosines())
