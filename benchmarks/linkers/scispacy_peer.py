"""scispaCy's candidate generator over given names. Run as a process of its own, JSON in and out.

``scispacy.candidate_generation.create_tfidf_ann_index`` (0.6.2) refuses scipy 1.11 and later only
because it saves its vectors in half precision. Here the index is built as it does it, with the same
vectorizer and the same parameters of nmslib, and handed to scispaCy's own ``CandidateGenerator``.
Two things differ: nmslib gets as many threads as there are cores (scispaCy: 60, "set based on the
machine"), and the vectors are saved in single precision.

With ``exact`` in the request no graph is built: the same vectors are searched by a sparse product,
which finds what a graph of perfect recall would. That tells accuracy in seconds, and nothing of
scispaCy's speed.

python scispacy_peer.py REQUEST ANSWER FOLDER; see ``linkers/peers.py`` for the two files.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import sys
import time
import warnings
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import joblib
import nmslib
import numpy as np
import scipy.sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sparse_dot_topn import sp_matmul_topn

# Some of scispaCy's dependencies warn on import.
warnings.filterwarnings("ignore")

from scispacy.candidate_generation import CandidateGenerator  # noqa: E402

NEIGHBOURS = 30
"""``k`` of scispaCy's ``EntityLinker``."""

# As in create_tfidf_ann_index.
INDEX_PARAMETERS = {"M": 100, "efConstruction": 2000, "post": 0}
VECTORIZER = {"analyzer": "char_wb", "ngram_range": (3, 3), "min_df": 10, "dtype": np.float32}
QUERY_PARAMETERS = {"efSearch": 200}


def main() -> None:
    request_file, answer_file, folder = map(Path, sys.argv[1:])
    request = json.loads(request_file.read_text())
    answer: dict[str, Any] = {"lists": {}, "cpu_seconds": {}}
    if request["exact"]:
        aliases, vectorizer, index, answer["build"] = exact_index(request["names"])
    else:
        aliases, vectorizer, index, answer["build"] = open_index(request["names"], folder)
    concepts = defaultdict(list)
    for name, concept_ids in request["names"].items():
        concepts[name] = concept_ids
    # All of a knowledge base that the generator asks for.
    kb: Any = SimpleNamespace(alias_to_cuis=concepts)
    generator = CandidateGenerator(index, vectorizer, aliases, kb)
    index.knnQueryBatch(vectorizer.transform(aliases[:1]), k=1)
    for name, texts in request["lists"].items():
        seconds = []
        for _ in range(request["rounds"]):
            clock = time.process_time()
            found = generator(texts, NEIGHBOURS)
            seconds.append(time.process_time() - clock)
        answer["cpu_seconds"][name] = statistics.median(seconds)
        # As EntityLinker ranks: by the best similarity, of equals the lower concept id.
        answer["lists"][name] = [
            [
                [c.concept_id, max(c.similarities)]
                for c in sorted(candidates, key=lambda c: max(c.similarities), reverse=True)
            ]
            for candidates in found
        ]
    answer_file.write_text(json.dumps(answer))


def open_index(
    names: dict[str, list[str]], folder: Path
) -> tuple[list[str], TfidfVectorizer, Any, dict[str, float]]:
    """Aliases, vectorizer, index, and wall and CPU seconds of building; built once a folder."""
    aliases_file, vectorizer_file = folder / "aliases.json", folder / "vectorizer.joblib"
    vectors_file, index_file = folder / "vectors.npz", folder / "index.bin"
    seconds_file = folder / "seconds.json"
    index = nmslib.init(
        method="hnsw", space="cosinesimil_sparse", data_type=nmslib.DataType.SPARSE_VECTOR
    )
    if seconds_file.exists():
        vectors = scipy.sparse.load_npz(vectors_file)
        index.addDataPointBatch(vectors)
        index.loadIndex(str(index_file))
        index.setQueryTimeParams(QUERY_PARAMETERS)
        aliases = json.loads(aliases_file.read_text())
        return aliases, joblib.load(vectorizer_file), index, json.loads(seconds_file.read_text())
    wall, cpu = time.perf_counter(), time.process_time()
    aliases, vectorizer, vectors = weigh(names)
    index.addDataPointBatch(vectors)
    index.createIndex(
        INDEX_PARAMETERS | {"indexThreadQty": len(os.sched_getaffinity(0))}, print_progress=True
    )
    index.setQueryTimeParams(QUERY_PARAMETERS)
    seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    folder.mkdir(parents=True, exist_ok=True)
    aliases_file.write_text(json.dumps(aliases))
    joblib.dump(vectorizer, vectorizer_file)
    scipy.sparse.save_npz(vectors_file, vectors)
    index.saveIndex(str(index_file))
    seconds_file.write_text(json.dumps(seconds))
    return aliases, vectorizer, index, seconds


def weigh(names: dict[str, list[str]]) -> tuple[list[str], TfidfVectorizer, Any]:
    """Aliases that have any 3-gram of the vocabulary, the vectorizer, and their vectors."""
    vectorizer = TfidfVectorizer(**VECTORIZER)
    every = list(names)
    vectors = vectorizer.fit_transform(every)
    filled = np.asarray(vectors.sum(axis=1) != 0).reshape(-1)
    aliases = [name for name, kept in zip(every, filled, strict=True) if kept]
    return aliases, vectorizer, vectors[filled]


class ExactIndex:
    """Answers like nmslib's index, exactly."""

    def __init__(self, vectors: Any) -> None:
        """Search these vectors of length 1, shape (names, 3-grams)."""
        self._matrix = vectors.T.tocsr()

    def knnQueryBatch(self, queries: Any, k: int) -> list[tuple[Any, Any]]:
        """Rows and cosine distances of the ``k`` nearest of each query."""
        found = sp_matmul_topn(queries, self._matrix, top_n=k, sort=True, n_threads=1)
        return [
            (found.indices[first:last], 1 - found.data[first:last])
            for first, last in itertools.pairwise(found.indptr)
        ]


def exact_index(
    names: dict[str, list[str]],
) -> tuple[list[str], TfidfVectorizer, ExactIndex, dict[str, float]]:
    """As of ``open_index``, without a graph."""
    wall, cpu = time.perf_counter(), time.process_time()
    aliases, vectorizer, vectors = weigh(names)
    index = ExactIndex(vectors)
    seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    return aliases, vectorizer, index, seconds


if __name__ == "__main__":
    main()
