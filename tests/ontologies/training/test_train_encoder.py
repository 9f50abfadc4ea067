"""Fine-tuning an encoder on synonyms."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from ontologies.encoder import NameEncoder
from ontologies.encoder_source import find_encoder
from ontologies.errors import OntologyError
from ontologies.store import ConceptStore
from ontologies.training import loop
from ontologies.training.loop import EncoderRecipe, Progress, Trained, train_encoder
from ontologies.training.synonyms import (
    MOST_PAIRS,
    Synonyms,
    hold_out,
    make_pairs,
    read_synonyms,
)

RECIPE = EncoderRecipe(epochs=6, batch_pairs=8, rate=1e-2, base_share=0, held_out=4)
WORDS = ("fever", "pain", "rash", "cough", "gout", "mumps", "ulcer", "croup")


@pytest.fixture
def synonyms(small_store: ConceptStore) -> Synonyms:
    """Names of the small MeSH, and of concepts that a few letters tell."""
    names = [
        (f"X:{number}", f"{word}{ending}")
        for number, word in enumerate(WORDS)
        for ending in ("", " syndrome", " disease", " attack")
    ]
    extra = pl.DataFrame(names, schema=["concept_id", "name"], orient="row")
    return read_synonyms([small_store], extra=extra)


def train(
    base: Path,
    synonyms: Synonyms,
    out: Path,
    checkpoints: Path | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    recipe: EncoderRecipe = RECIPE,
) -> Trained:
    source = find_encoder(str(base))
    return train_encoder(
        source, synonyms, out, recipe, checkpoints=checkpoints, device="cpu", report=report
    )


def test_names_of_a_concept_are_read_once_and_loose_ones_left_out(
    small_store: ConceptStore,
) -> None:
    found = read_synonyms([small_store, small_store])
    assert found.texts == sorted(set(found.texts))
    pairs = set(zip(found.text.tolist(), found.concept.tolist(), strict=True))
    assert len(pairs) == len(found.text)
    meant = {c for t, c in pairs if found.texts[t] in ("niddm", "diabetes mellitus type 2")}
    assert len(meant) == 1
    diseases = read_synonyms([small_store], types=("C",))
    assert set(diseases.texts) < set(found.texts)
    with pytest.raises(OntologyError, match="no concept has two names"):
        read_synonyms([small_store], types=("Z99",))


def test_pairs_are_of_one_concept_and_bounded() -> None:
    text = np.arange(30)
    concept = np.where(text < 25, 0, text)
    many = Synonyms([f"{n:02d}" for n in range(30)], text, concept, 30)
    pairs = make_pairs(many, seed=1)
    assert len(pairs) == MOST_PAIRS
    assert (pairs[:, 0] != pairs[:, 1]).all() and (pairs[:, :2] < 25).all()
    assert np.array_equal(pairs, make_pairs(many, seed=1))


def test_held_out_names_are_not_learnt_and_leave_a_name_behind(synonyms: Synonyms) -> None:
    learnt, apart = hold_out(synonyms, 3, seed=1)
    assert len(apart.text) > 0
    assert not np.isin(apart.text, learnt.text).any()
    assert np.isin(apart.concept, learnt.concept).all()
    assert len(learnt.text) + len(apart.text) == len(synonyms.text)


def test_training_brings_synonyms_together_and_is_loaded_again(
    encoder_folder: Path, synonyms: Synonyms, tmp_path: Path
) -> None:
    trained = train(encoder_folder, synonyms, tmp_path / "out")
    before = NameEncoder.open(str(encoder_folder), device="cpu")
    after = NameEncoder.open(str(tmp_path / "out"), device="cpu")
    names = [f"{word}{ending}" for word in WORDS for ending in (" syndrome", " disease")]

    def gap(encoder: NameEncoder) -> float:
        vectors = encoder.encode(names)
        cosines = vectors @ vectors.T
        same = np.arange(len(names))[:, None] // 2 == np.arange(len(names))[None, :] // 2
        return float(cosines[same].mean() - cosines[~same].mean())

    assert gap(after) > gap(before) + 0.1
    assert after.fingerprint != before.fingerprint
    assert trained.pairs > 0 and 0 <= trained.after <= 1
    described = json.loads((tmp_path / "out" / "training.json").read_text())
    assert described["outcome"]["pairs"] == trained.pairs
    assert "Liu et al. 2021" in (tmp_path / "out" / "README.md").read_text()


def test_saved_weights_lie_between_the_base_and_what_was_learnt(
    encoder_folder: Path, synonyms: Synonyms, tmp_path: Path
) -> None:
    for share in (0.0, 0.5, 1.0):
        recipe = replace(RECIPE, epochs=1, base_share=share)
        train(encoder_folder, synonyms, tmp_path / str(share), recipe=recipe)
    weights = [load_file(tmp_path / name / "model.safetensors") for name in ("0.0", "0.5", "1.0")]
    base = load_file(encoder_folder / "model.safetensors")
    learnt, blended, kept = (w["encoder.layer.0.output.dense.weight"].float() for w in weights)
    torch.testing.assert_close(kept, base["encoder.layer.0.output.dense.weight"].half().float())
    torch.testing.assert_close(blended, (learnt + kept) / 2, atol=2e-3, rtol=0)
    assert not torch.allclose(learnt, kept, atol=1e-3)


def test_a_killed_training_goes_on_with_the_same_weights(
    encoder_folder: Path, synonyms: Synonyms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_STEPS", 3)
    train(encoder_folder, synonyms, tmp_path / "whole")

    def kill(progress: Progress) -> None:
        if progress.step == 5:
            raise KeyboardInterrupt

    checkpoints = tmp_path / "checkpoints"
    with pytest.raises(KeyboardInterrupt):
        train(encoder_folder, synonyms, tmp_path / "killed", checkpoints, kill)
    steps: list[int] = []
    train(
        encoder_folder,
        synonyms,
        tmp_path / "killed",
        checkpoints,
        lambda progress: steps.append(progress.step),
    )
    assert steps[0] == 4
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "killed")]
    assert weights[0] == weights[1]
    fewer = hold_out(synonyms, 5, seed=3)[0]
    with pytest.raises(OntologyError, match="of another training"):
        train(encoder_folder, fewer, tmp_path / "other", checkpoints)
