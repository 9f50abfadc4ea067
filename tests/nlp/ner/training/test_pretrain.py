"""Continued pre-training: the loss falls, and the encoder that comes out can be trained on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from nlp.ner.features import CASE_CLASSES
from nlp.ner.training.pretrain import PretrainRecipe, pretrain

TEXTS = ["aspirin acid for fever and cancer cell"] * 30 + ["x y z"] * 30 + [""]


def test_masked_words_are_learnt(make_model: Callable[..., Path], tmp_path: Path) -> None:
    losses: list[float] = []
    pretrain(
        make_model(spread=0.05),
        TEXTS,
        tmp_path / "encoder",
        PretrainRecipe(epochs=60, batch_tokens=200, rate=3e-3),
        report=lambda step, steps, loss: losses.append(loss),
    )
    assert len(losses) > 1
    assert losses[-1] < 0.7 * losses[0]
    config = json.loads((tmp_path / "encoder" / "config.json").read_text())
    assert config["type_vocab_size"] == CASE_CLASSES
    assert (tmp_path / "encoder" / "tokenizer.json").is_file()
