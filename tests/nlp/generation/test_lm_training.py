"""A language model learns what it is shown and writes it from the folder it is published in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.generation.codec import Codec
from nlp.generation.completion import Prompt, Sampling
from nlp.generation.device import choose_text_device
from nlp.generation.model import load_codec, load_text_model
from nlp.generation.source import find_text_model
from nlp.generation.training import Lesson, LmRecipe, preview, train
from nlp.generation.training.memory import estimate
from nlp.generation.training.rows import (
    UNLEARNT,
    encode_lesson,
    make_batches,
    make_rows,
    pack_texts,
)
from nlp.ner.errors import TrainingError
from nlp.training.progress import Progress
from tests.language_models import make_biogpt, make_gpt2

MAKERS = {"gpt2": make_gpt2, "biogpt": make_biogpt}
PROMPT = "Aspirin lowers"
COMPLETION = " the risk of stroke"
LESSONS = [
    Lesson(COMPLETION, PROMPT),
    Lesson(" lactic acidosis", "Does metformin cause"),
    Lesson("the relation between lithium and tremor exists."),
]
RECIPE = LmRecipe(epochs=2, batch_tokens=120, rate=1e-2)
LORA = replace(RECIPE, lora_rank=32, rate=1e-2)


def trained(
    folder: Path,
    base: Path,
    recipe: LmRecipe,
    report: Callable[[Progress], None] | None = None,
    times: int = 120,
) -> Path:
    """Each lesson many times in an epoch: fewer checkpoints are written so."""
    train(
        find_text_model(str(base)),
        times * LESSONS,
        LESSONS,
        folder,
        recipe,
        checkpoints=folder.with_suffix(".work"),
        device="cpu",
        report=report or (lambda progress: None),
    )
    return folder


def written(folder: Path, prompt: str = PROMPT) -> str:
    model = load_text_model(find_text_model(str(folder)), choose_text_device("cpu"))
    (found,) = model.generate([Prompt(prompt)], Sampling(max_new_tokens=30))
    return found.text.strip()


@pytest.mark.parametrize("lora", [False, True], ids=["all", "lora"])
@pytest.mark.parametrize("form", MAKERS)
def test_what_is_taught_is_written_and_ended(tmp_path: Path, form: str, lora: bool) -> None:
    base = MAKERS[form](tmp_path / "base")
    losses = []

    def report(progress: Progress) -> None:
        if progress.scores:
            losses.append(progress.scores["dev_loss"])

    out = trained(tmp_path / "out", base, LORA if lora else RECIPE, report, 200 if lora else 120)
    assert losses[-1] < losses[0]
    assert written(base) != COMPLETION.strip()
    assert written(out) == COMPLETION.strip()
    assert written(out, "Does metformin cause") == "lactic acidosis"
    assert not list(out.glob("adapter*"))


def test_an_adapter_alone_writes_what_the_merged_model_does(tmp_path: Path) -> None:
    base = make_gpt2(tmp_path / "base")
    recipe = replace(LORA, adapter_only=True)
    out = trained(tmp_path / "out", base, recipe, times=200)
    assert (out / "adapter_config.json").is_file() and not (out / "config.json").exists()
    assert written(out) == COMPLETION.strip()
    assert written(base) != COMPLETION.strip()


def test_patience_keeps_the_best_epoch(tmp_path: Path) -> None:
    base = make_gpt2(tmp_path / "base")
    seen: list[float] = []

    def report(progress: Progress) -> None:
        if progress.scores:
            seen.append(progress.scores["perplexity"])

    dev = [Lesson("Zebras graze at dawn."), Lesson(" nothing known", "Quartz means")]
    recipe = replace(RECIPE, epochs=40, patience=2)
    found = train(
        find_text_model(str(base)),
        LESSONS,
        dev,
        tmp_path / "out",
        recipe,
        checkpoints=tmp_path / "work",
        device="cpu",
        report=report,
    )
    assert len(seen) < recipe.epochs  # unlike the lessons, which are learnt by heart
    assert found["perplexity"] == pytest.approx(min(seen))


def test_gradient_checkpointing_changes_nothing(tmp_path: Path) -> None:
    base = make_gpt2(tmp_path / "base")
    recipe = replace(RECIPE, epochs=2, lora_rank=4)
    plain = trained(tmp_path / "plain", base, recipe, times=1)
    saving = trained(
        tmp_path / "saving", base, replace(recipe, gradient_checkpointing=True), times=1
    )
    one, other = (
        load_text_model(find_text_model(str(f)), choose_text_device("cpu")).log_likelihoods(
            [(PROMPT, COMPLETION)]
        )[0]
        for f in (plain, saving)
    )
    assert one.log_probability == pytest.approx(other.log_probability, abs=1e-4)


@lru_cache
def codec_of(form: str) -> Codec:
    return load_codec(find_text_model(str(MAKERS[form](Path(mkdtemp()) / form))))[1]


@pytest.mark.parametrize("form", MAKERS)
@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(st.text("ab .e</s>|ndoftx<é", min_size=1).filter(str.strip), max_size=6),
    longest=st.integers(2, 40),
)
def test_packing_learns_every_token_once(form: str, texts: list[str], longest: int) -> None:
    codec = codec_of(form)
    (end,) = codec.ends
    rows = pack_texts(texts, codec, longest)
    learnt = [label for row in rows for label in row.labels if label != UNLEARNT]
    assert learnt == [token for text in texts for token in [*codec.encode_text(text), end]]
    for row in rows:
        assert 2 <= len(row.tokens) <= longest
        assert row.labels[0] == UNLEARNT  # nothing stands before it
        assert all(y in (UNLEARNT, x) for x, y in zip(row.tokens, row.labels, strict=True))


@pytest.mark.parametrize("form", MAKERS)
@settings(max_examples=60, deadline=None)
@given(
    pairs=st.lists(
        st.tuples(
            st.text("abé .e</s>", min_size=1).filter(str.strip),
            st.text("abé .", min_size=1, max_size=6).filter(str.strip),
        ),
        min_size=1,
        max_size=8,
    ),
    tokens=st.integers(1, 200),
)
def test_prompts_are_not_learnt(form: str, pairs: list[tuple[str, str]], tokens: int) -> None:
    codec = codec_of(form)
    (end,) = codec.ends
    rows = make_rows([Lesson(after, before) for before, after in pairs], codec, 40)
    for (prompt, completion), row in zip(pairs, rows, strict=True):
        before, after = encode_lesson(prompt, completion, codec)
        assert before == codec.encode_prompt(Prompt(prompt))  # as it is asked in use
        assert [label for label in row.labels if label != UNLEARNT] == [*after, end]
        assert row.labels[-1] == row.tokens[-1] == end
        assert len(row.tokens) <= 40
    batches = make_batches(rows, tokens, seed=3)
    assert sorted((row for batch in batches for row in batch), key=repr) == sorted(rows, key=repr)
    assert all(
        len(batch) == 1 or len(batch) * max(len(row.tokens) for row in batch) <= tokens
        for batch in batches
    )


def test_completions_that_do_not_fit_are_counted() -> None:
    lessons = [Lesson("a b c d e f g h", "x"), Lesson("a", "x")]
    with pytest.raises(TrainingError, match="1 completions are longer than a row of 4 tokens"):
        make_rows(lessons, codec_of("gpt2"), 4)


def test_a_preview_counts_what_training_does(tmp_path: Path) -> None:
    base = make_gpt2(tmp_path / "base")
    recipe = replace(RECIPE, epochs=1, batch_tokens=20, lora_rank=4)
    steps = []
    trained(tmp_path / "out", base, recipe, lambda progress: steps.append(progress.steps), 1)
    found = preview(find_text_model(str(base)), LESSONS, LESSONS, recipe)
    assert found.rows == (3, 3)
    assert found.steps_per_epoch == steps[-1]
    told = json.loads((tmp_path / "out" / "training.json").read_text())
    assert told["recipe"]["lora_rank"] == 4


def test_memory_counts_parameters_as_torch_does(tmp_path: Path) -> None:
    config = load_codec(find_text_model(str(make_gpt2(tmp_path / "base"))))[0]
    model = load_text_model(find_text_model(str(tmp_path / "base")), choose_text_device("cpu"))
    count = sum(p.numel() for p in model.network.network.parameters())
    full, lora = (estimate(config, LmRecipe(lora_rank=r), 512, 256) for r in (0, 4))
    assert full.parameters == lora.parameters == full.trained == count
    assert lora.trained == 2 * 4 * (48 + 3 * 48)  # two layers: rank x (inputs + outputs) of c_attn
    assert full.weights + full.training == 16 * count
    assert lora.weights + lora.training == 2 * count + 16 * lora.trained
    assert torch.get_default_dtype() == torch.float32
