"""Vectors of a store: written, opened, searched."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontologies import dense, dense_build
from ontologies.dense import (
    DenseIndex,
    DenseInfo,
    DenseSearch,
    dense_folder,
    form_texts,
    list_dense,
    nearest,
    open_dense,
    restrict,
    similarity,
)
from ontologies.dense_build import encode_store
from ontologies.encoder import NameEncoder
from ontologies.errors import OntologyError
from ontologies.store import FORBIDDEN, ConceptStore, open_store

INFO = DenseInfo("random", "mean", "f" * 64, 8, 0, "none")


@pytest.fixture
def store(small_store: ConceptStore, tmp_path: Path) -> ConceptStore:
    """A store of the small MeSH in a folder of its own."""
    return open_store(shutil.copytree(small_store.path, tmp_path / "store"))


def vectors(rng: np.random.Generator, count: int, distinct: int) -> npt.NDArray[np.float32]:
    """Rows of length 1, some of them the same."""
    rows = rng.normal(size=(distinct, 8))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows[rng.integers(0, distinct, count)].astype(np.float32)


def by_hand(
    search: DenseSearch, queries: npt.NDArray[np.float32], count: int, floor: float
) -> list[tuple[int, int]]:
    scores = np.einsum("qd,fd->qf", queries, search.vectors[search.form].astype(np.float32))
    found = []
    for query, row in enumerate(scores):
        order = np.lexsort((np.arange(len(row)), -row))
        found += [(query, int(search.form[f])) for f in order[:count] if row[f] > floor]
    return found


@given(
    seed=st.integers(0, 1000),
    forms=st.integers(0, 60),
    queries=st.integers(0, 12),
    count=st.integers(1, 9),
    floor=st.sampled_from([-1.0, 0.0, 0.5]),
    block=st.sampled_from([1, 7, 16, 100]),
)
def test_nearest_is_what_brute_force_finds(
    seed: int, forms: int, queries: int, count: int, floor: float, block: int
) -> None:
    rng = np.random.default_rng(seed)
    index = DenseIndex(INFO, vectors(rng, forms, 25).astype(np.float16))
    asked = vectors(rng, queries, 12)
    allowed = rng.random(forms) < 0.7
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "_ROWS", block)
        patch.setattr(dense, "_QUERIES", 5)
        search = restrict(index, allowed)
        query, row, score = nearest(search, asked, count, floor)
    expected = by_hand(search, asked, count, floor)
    assert allowed[row].all()
    # Sums in another order may differ in the last digit, and so may the order of near ties.
    cosine = np.array([asked[q] @ index.vectors[f].astype(np.float32) for q, f in expected])
    assert query.tolist() == [q for q, _ in expected]
    np.testing.assert_allclose(score, cosine, atol=1e-6)
    np.testing.assert_allclose(similarity(index, asked, query, row), score, atol=0)


@given(seed=st.integers(0, 1000), queries=st.integers(1, 12), count=st.integers(1, 9))
def test_what_a_query_finds_does_not_hang_on_the_others(
    seed: int, queries: int, count: int
) -> None:
    rng = np.random.default_rng(seed)
    index = DenseIndex(INFO, vectors(rng, 50, 25).astype(np.float16))
    asked = vectors(rng, queries, 12)
    search = restrict(index, np.ones(50, dtype=np.bool_))
    query, row, score = nearest(search, asked, count)
    for number in range(queries):
        _, alone, its = nearest(search, asked[number : number + 1], count)
        assert alone.tolist() == row[query == number].tolist()
        assert its.tolist() == score[query == number].tolist()


def test_equal_names_are_taken_by_row() -> None:
    row = np.eye(8, dtype=np.float32)[:1]
    search = restrict(
        DenseIndex(INFO, np.repeat(row, 40, axis=0).astype(np.float16)),
        np.arange(40) % 2 == 1,
    )
    assert nearest(search, row, 3)[1].tolist() == [1, 3, 5]


@given(seed=st.integers(0, 1000), forms=st.integers(1, 60), count=st.integers(1, 9))
def test_a_search_in_half_precision_finds_the_same_to_its_rounding(
    seed: int, forms: int, count: int
) -> None:
    import torch

    rng = np.random.default_rng(seed)
    index = DenseIndex(INFO, vectors(rng, forms, 60).astype(np.float16))
    asked = vectors(rng, 4, 4)
    exact = restrict(index, np.ones(forms, dtype=np.bool_))
    on_device = replace(exact, on_device=torch.from_numpy(index.vectors))
    query, _, score = nearest(on_device, asked, count)
    expected = nearest(exact, asked, count)
    assert query.tolist() == expected[0].tolist()
    np.testing.assert_allclose(score, expected[2], atol=2e-3)


def test_an_encoded_store_is_opened_and_found_in(
    store: ConceptStore, random_encoder: NameEncoder
) -> None:
    reports: list[tuple[int, int]] = []
    made = encode_store(store, random_encoder, report=lambda *done: reports.append(done))
    opened = open_dense(store, random_encoder.fingerprint)
    forms = len(store.forms.name_start) - 1
    assert reports[-1] == (forms, forms)
    assert opened.info == made.info
    assert opened.info.release_id == store.release.release_id
    assert [info.encoder for info in list_dense(store.path)] == ["random"]
    texts = form_texts(store, 0, forms)
    assert len(set(texts)) == forms
    asked = random_encoder.encode(texts)
    np.testing.assert_allclose(opened.vectors, asked, atol=1e-3)
    search = restrict(opened, np.ones(forms, dtype=np.bool_))
    query, row, score = nearest(search, asked, 1)
    assert query.tolist() == row.tolist() == list(range(forms))
    assert score.min() > 0.999


def test_a_restricted_search_finds_only_what_is_allowed(
    store: ConceptStore, random_encoder: NameEncoder
) -> None:
    index = encode_store(store, random_encoder)
    carriers = store.permits(("C",))[store.names.concept[store.forms.name]] != FORBIDDEN
    mask = np.logical_or.reduceat(carriers, store.forms.name_start[:-1])
    allowed = np.flatnonzero(mask)
    _, row, _ = nearest(restrict(index, mask), random_encoder.encode(["cold", "rhinitis"]), 100)
    assert set(row.tolist()) == set(allowed.tolist()) != set(range(len(index.vectors)))


def test_an_interrupted_encoding_goes_on(
    store: ConceptStore, random_encoder: NameEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dense_build, "CHUNK", 4)

    def stop_at_eight(done: int, total: int) -> None:
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_store(store, random_encoder, report=stop_at_eight)
    with pytest.raises(OntologyError, match="holds no vectors"):
        open_dense(store, random_encoder.fingerprint)
    reports: list[int] = []
    index = encode_store(store, random_encoder, report=lambda done, total: reports.append(done))
    assert reports[0] == 8
    texts = form_texts(store, 0, index.info.rows)
    assert np.array_equal(index.vectors, random_encoder.encode(texts).astype(np.float16))
    again: list[int] = []
    encode_store(store, random_encoder, report=lambda done, total: again.append(done))
    assert again == []


def test_vectors_of_another_store_or_encoder_are_refused(
    store: ConceptStore, random_encoder: NameEncoder
) -> None:
    encode_store(store, random_encoder)
    fingerprint = random_encoder.fingerprint
    with pytest.raises(OntologyError, match="charthouse ontology encode STORE --encoder sapbert"):
        open_dense(store, "0" * 64, "sapbert")
    folder = dense_folder(store.path, fingerprint)
    manifest = folder / "dense.json"
    said = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**said, "release_id": "mesh-other"}))
    with pytest.raises(OntologyError, match="belongs to release mesh-other"):
        open_dense(store, fingerprint)
    # Encoded again, what does not belong there is replaced.
    encode_store(store, random_encoder)
    assert open_dense(store, fingerprint).info.release_id == store.release.release_id
    np.save(folder / "vectors.npy", np.zeros((3, 2), dtype=np.float16))
    with pytest.raises(OntologyError, match="is damaged; remove it"):
        open_dense(store, fingerprint)


def test_a_store_is_opened_without_torch() -> None:
    code = (
        "import sys, ontologies.store, ontologies.dense, ontologies.encoder_source, "
        "ontologies.linker; sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
