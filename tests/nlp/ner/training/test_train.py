"""Training on tiny models: it learns, it repeats, it goes on after a kill, its result runs."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from nlp.ner.decode import Span
from nlp.ner.device import choose_device
from nlp.ner.engine import NerEngine
from nlp.ner.model import load_model
from nlp.ner.source import find_model
from nlp.ner.training import GoldText, Progress, Recipe, TrainingError, train

DRUGS, ILLS = ("aspirin", "acid"), ("fever", "cancer", "ards")


def _gold(count: int, annotated: frozenset[str], seed: int) -> list[GoldText]:
    """Lines of letters with drugs and illnesses strewn in; only ``annotated`` is marked."""
    rng = random.Random(seed)
    texts = []
    for _ in range(count):
        text, mentions = "", []
        for _ in range(rng.randint(4, 12)):
            word = rng.choice([*DRUGS, *ILLS, "a", "b", "x", "y"])
            label = "Chemical" if word in DRUGS else "Disease" if word in ILLS else ""
            if label in annotated:
                mentions.append((len(text), len(text) + len(word), label))
            text += word + " "
        texts.append(GoldText(text, tuple(mentions), annotated))
    return texts


BOTH = frozenset({"Chemical", "Disease"})
DRUG_ONLY, ILL_ONLY = frozenset({"Chemical"}), frozenset({"Disease"})
GOLD = _gold(60, DRUG_ONLY, 1) + _gold(60, ILL_ONLY, 2)
DEV = _gold(40, BOTH, 3)
RECIPE = Recipe(
    epochs=6, batch_tokens=120, encoder_rate=3e-3, head_rate=1e-2, dropout=0.0, average=0.9
)


def _engine(folder: Path) -> NerEngine:
    return NerEngine(load_model(find_model(str(folder)), choose_device("cpu", "fp32")))


def _keys(spans: list[Span]) -> set[tuple[int, int, str]]:
    return {(s.start, s.end, s.label) for s in spans}


@pytest.fixture(scope="module")
def base(make_model: Callable[..., Path]) -> Path:
    """A BERT that knows nothing yet."""
    return make_model(spread=0.05)


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained") / "model"
    train(base, GOLD, DEV, out, RECIPE)
    return out


def test_two_corpora_that_each_mark_one_label_teach_both(trained: Path) -> None:
    found = _engine(trained).find([text.text for text in DEV])
    right = sum(len(_keys(s) & set(g.mentions)) for s, g in zip(found, DEV, strict=True))
    total = sum(len(text.mentions) for text in DEV)
    assert right / total > 0.95
    assert sum(map(len, found)) / total < 1.05


def test_what_is_saved_scores_what_training_says(base: Path, tmp_path: Path) -> None:
    scores = train(base, GOLD, DEV, tmp_path / "m", replace(RECIPE, epochs=1))
    found = _engine(tmp_path / "m").find([text.text for text in DEV])
    agreed = sum(
        len({k for k in _keys(s) if k[2] == "Disease"} & set(g.mentions))
        for s, g in zip(found, DEV, strict=True)
    )
    assert abs(scores["Disease"].agreed - agreed) <= 2  # bf16 and fp32 may differ by a hair
    described = json.loads((tmp_path / "m" / "training.json").read_text())
    assert described["labels"] == ["Chemical", "Disease"]
    assert described["recipe"]["epochs"] == 1


def test_scores_are_calibrated_on_dev(trained: Path) -> None:
    decoder = load_model(find_model(str(trained)), choose_device("cpu", "fp32")).decoder
    assert set(decoder.calibration) <= {"Chemical", "Disease"}
    spans = [s for found in _engine(trained).find([t.text for t in DEV]) for s in found]
    assert all(0.0 <= span.score <= 1.0 for span in spans)


class _Stop(Exception):
    """A kill, as far as the training can tell."""


def test_an_interrupted_training_ends_with_the_same_weights(
    base: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(progress: Progress) -> None:
        if (progress.epoch, progress.step) == (2, 5):
            raise _Stop

    monkeypatch.setattr("nlp.ner.training.loop.CHECKPOINT_STEPS", 2)
    arguments = (base, GOLD, DEV, tmp_path / "m", RECIPE)
    with pytest.raises(_Stop):
        train(*arguments, checkpoints=tmp_path / "c", report=stop)
    seen: list[int] = []
    train(*arguments, checkpoints=tmp_path / "c", report=lambda p: seen.append(p.epoch))
    assert min(seen) == 2  # it went on, not anew
    for name in ("model.safetensors", "decoder.json"):
        assert (tmp_path / "m" / name).read_bytes() == (trained / name).read_bytes()


def test_a_checkpoint_of_another_training_is_refused(base: Path, tmp_path: Path) -> None:
    short = replace(RECIPE, epochs=1)
    train(base, GOLD, (), tmp_path / "m", short, checkpoints=tmp_path / "c")
    with pytest.raises(TrainingError, match="another training"):
        train(base, GOLD[:-1], (), tmp_path / "n", short, checkpoints=tmp_path / "c")


def test_patience_stops_early_and_keeps_the_best_epoch(base: Path, tmp_path: Path) -> None:
    f1: list[float] = []

    def report(progress: Progress) -> None:
        if progress.scores:
            f1.append(progress.scores["f1"])

    wild = replace(RECIPE, epochs=30, patience=2, encoder_rate=3e-2)
    scores = train(base, GOLD, DEV, tmp_path / "m", wild, report=report)
    assert len(f1) < 30
    assert f1[-1] <= max(f1)
    gold = sum(s.gold for s in scores.values())
    best = (
        2 * sum(s.agreed for s in scores.values()) / (gold + sum(s.found for s in scores.values()))
    )
    assert best == pytest.approx(max(f1), abs=0.03)


def test_low_rank_adapters_end_up_in_the_weights(base: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="the extra train is not installed")
    adapted = replace(RECIPE, lora_rank=4, encoder_rate=1e-2)
    scores = train(base, GOLD, DEV, tmp_path / "m", adapted)
    assert min(score.f1 for score in scores.values()) > 0.9
    names = {
        name
        for name, _ in load_model(
            find_model(str(tmp_path / "m")), choose_device("cpu", "fp32")
        ).network.named_parameters()
    }
    assert not any("lora" in name for name in names)


def test_biogpt_learns_on_the_last_piece_of_each_word(biogpt_folder: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, epochs=6)
    train(biogpt_folder, GOLD, DEV, tmp_path / "m", recipe)
    engine = _engine(tmp_path / "m")
    assert engine.model.decoder.label_on == "last"
    found = engine.find([text.text for text in DEV])
    right = sum(len(_keys(s) & set(g.mentions)) for s, g in zip(found, DEV, strict=True))
    assert right / sum(len(text.mentions) for text in DEV) > 0.9
    long = "x " * 200 + "aspirin"  # more than the context of 64 tokens
    # Its place, not its label: no text it learnt from has a mention without other words around.
    assert (400, 407) in {(start, end) for start, end, _ in _keys(engine.find([long])[0])}


def test_longer_texts_than_a_window_are_taught_whole(base: Path, tmp_path: Path) -> None:
    text = "x " * 700 + "aspirin acid " * 30
    start = 1_400
    mentions = tuple((start + 13 * i, start + 13 * i + 12, "Chemical") for i in range(30))
    gold = [GoldText(text, mentions, DRUG_ONLY)]
    losses: list[float] = []
    train(
        base,
        gold * 3,
        (),
        tmp_path / "m",
        replace(RECIPE, epochs=10),
        report=lambda p: losses.append(p.loss),
    )
    assert losses
    assert max(losses) < 100  # a window that begins within a mention has a possible path
    (found,) = _engine(tmp_path / "m").find([text])
    assert found


def test_texts_without_mentions_are_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no mention"):
        train(base, [GoldText("x y", (), BOTH)], (), tmp_path / "m", RECIPE)


def test_attention_has_no_dropout(trained: Path) -> None:
    config = json.loads((trained / "config.json").read_text())
    assert config["attention_probs_dropout_prob"] == 0.0


def test_weights_are_kept_in_half_precision(trained: Path) -> None:
    from safetensors.torch import load_file

    weights = load_file(trained / "model.safetensors")
    assert {w.dtype for w in weights.values()} == {torch.float16}


def test_the_base_s_own_cutting_and_filling_up_of_texts_is_left_behind(
    base: Path, tmp_path: Path
) -> None:
    cutting = tmp_path / "base"
    shutil.copytree(base, cutting)
    tokenizer = Tokenizer.from_file(str(cutting / "tokenizer.json"))
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=4)
    tokenizer.save(str(cutting / "tokenizer.json"))
    train(cutting, GOLD[:4], (), tmp_path / "model", replace(RECIPE, epochs=1))
    saved = json.loads((tmp_path / "model" / "tokenizer.json").read_text("utf-8"))
    assert saved["truncation"] is None
    assert saved["padding"] is None
