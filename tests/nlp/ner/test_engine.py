"""The engine: what it finds depends on the text alone, and reaches its end."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.readers.pubtator import read_gold
from nlp.ner.decode import Span
from nlp.ner.device import choose_device
from nlp.ner.engine import NerEngine
from nlp.ner.errors import DeviceError
from nlp.ner.model import LoadedModel, load_model
from nlp.ner.source import find_model

TEXTS = [
    "aspirin for fever",
    "",
    "a b c d e f " * 60,
    "cancer cell, acid; (ards).",
    "one",
    "the quick brown fox has a fever and jumps over cancer " * 30,
    "   ",
    "x y z",
]


def _keys(spans: list[Span]) -> list[tuple[int, int, str]]:
    return [(s.start, s.end, s.label) for s in spans]


def _assert_same(found: list[list[Span]], expected: list[list[Span]]) -> None:
    assert [_keys(s) for s in found] == [_keys(s) for s in expected]
    scores = [[s.score for s in spans] for spans in found]
    assert scores == [pytest.approx([s.score for s in spans], abs=1e-4) for spans in expected]


def test_the_random_model_tags_enough_to_test_with(erratic: NerEngine) -> None:
    found = erratic.find(TEXTS)
    assert sum(map(len, found)) > 50
    assert len({span.label for spans in found for span in spans}) == 2


@pytest.mark.parametrize("budget", [1, 64, 700, 100_000])
def test_token_budget_changes_nothing(random_model: LoadedModel, budget: int) -> None:
    alone = [NerEngine(random_model).find([text])[0] for text in TEXTS]
    _assert_same(NerEngine(random_model, token_budget=budget).find(TEXTS), alone)


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(len(TEXTS))), kept=st.integers(1, len(TEXTS)))
def test_order_and_neighbours_change_nothing(
    erratic: NerEngine, order: list[int], kept: int
) -> None:
    everything = erratic.find(TEXTS)
    chosen = order[:kept]
    _assert_same(erratic.find([TEXTS[i] for i in chosen]), [everything[i] for i in chosen])


def test_packing_is_the_network_s_own_forward_pass(random_model: LoadedModel) -> None:
    own = NerEngine(random_model, packed=False).find(TEXTS)
    _assert_same(NerEngine(random_model).find(TEXTS), own)


def test_bundled_model_gives_the_same_to_the_last_digit_in_any_company(data_dir: Path) -> None:
    """On real abstracts, in the number format of this machine."""
    gold = read_gold(data_dir / "corpora" / "ncbi_dev.pubtator.gz")
    texts = [document.text for document in islice(gold, 12)]
    texts += [text[:90] for text in texts[:4]] + [" ".join(texts[:5])]
    model = load_model(find_model("bundled"), choose_device("cpu"))
    found = NerEngine(model).find(texts)
    assert sum(map(len, found)) > 100
    assert NerEngine(model, token_budget=600).find(texts) == found
    assert NerEngine(model).find(texts[::-1]) == found[::-1]
    assert [NerEngine(model).find([text])[0] for text in texts] == found


def test_exact_offsets_and_labels(obedient: NerEngine) -> None:
    (spans,) = obedient.find(["Aspirin acid, then FEVER\n(cancer cell)."])
    assert _keys(spans) == [(0, 12, "Chemical"), (19, 24, "Disease"), (26, 37, "Disease")]
    assert all(span.score > 0.99 for span in spans)


def test_offsets_count_characters_of_the_text_as_given(obedient: NerEngine) -> None:
    (spans,) = obedient.find(["\x00 ﬁ 😀 e\u0301 中文\u200b fe\u0301ver \ufffd cancer"])
    text = "\x00 ﬁ 😀 e\u0301 中文\u200b fe\u0301ver \ufffd cancer"
    assert [text[s.start : s.end] for s in spans] == ["fe\u0301ver", "cancer"]


def test_no_texts_and_blank_texts(erratic: NerEngine) -> None:
    assert erratic.find([]) == []
    assert erratic.find(["", " ", "\n\t", "\u200b\x00", "\u3000"]) == [[]] * 5


@pytest.mark.parametrize("filler", [3, 509, 510, 511, 700, 2_000])
def test_the_end_of_a_long_text_is_reached(obedient: NerEngine, filler: int) -> None:
    text = "x " * filler + "cancer cell"
    (spans,) = obedient.find([text])
    assert _keys(spans) == [(2 * filler, len(text), "Disease")]


def test_every_place_of_a_long_text_is_tagged_once(obedient: NerEngine) -> None:
    unit = "cancer cell x "
    (spans,) = obedient.find([unit * 700])
    assert _keys(spans) == [(i * len(unit), i * len(unit) + 11, "Disease") for i in range(700)]


def test_words_longer_than_a_window(obedient: NerEngine) -> None:
    text = "x" * 90 + " " + "-" * 1_200 + " fever"  # a word that is unknown, then 1,200 tokens
    (spans,) = obedient.find([text])
    assert [text[s.start : s.end] for s in spans] == ["fever"]


def test_a_small_context_is_respected(random_model: LoadedModel) -> None:
    sizes = []

    def record(module: torch.nn.Module, args: object, kwargs: dict[str, torch.Tensor]) -> None:
        sizes.append(tuple(kwargs["input_ids"].shape))

    hook = random_model.network.register_forward_pre_hook(record, with_kwargs=True)
    small = replace(random_model, encoder=replace(random_model.encoder, context=16))
    try:
        NerEngine(small, token_budget=64, packed=False).find(TEXTS)
    finally:
        hook.remove()
    assert max(width for _, width in sizes) == 16
    assert all(rows * width <= 64 for rows, width in sizes)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=4))
def test_any_unicode(erratic: NerEngine, texts: list[str]) -> None:
    found = erratic.find(texts)
    assert len(found) == len(texts)
    for text, spans in zip(texts, found, strict=True):
        for span in spans:
            mention = text[span.start : span.end]
            assert mention
            assert mention == mention.strip()
            assert 0 <= span.start < span.end <= len(text)
            assert 0.0 <= span.score <= 1.0
        assert [s.start for s in spans] == sorted(s.start for s in spans)


def test_a_batch_too_big_for_the_gpu_is_halved(random_model: LoadedModel) -> None:
    expected = NerEngine(random_model, packed=False).find(TEXTS)

    def only_two_rows(
        module: torch.nn.Module, args: object, kwargs: dict[str, torch.Tensor]
    ) -> None:
        if len(kwargs["input_ids"]) > 2:
            raise torch.cuda.OutOfMemoryError("no room")

    hook = random_model.network.register_forward_pre_hook(only_two_rows, with_kwargs=True)
    try:
        _assert_same(NerEngine(random_model, packed=False).find(TEXTS), expected)
    finally:
        hook.remove()


@pytest.mark.parametrize("error", [torch.cuda.OutOfMemoryError, RuntimeError])
def test_a_failing_device_is_told_apart(
    random_model: LoadedModel, error: type[RuntimeError]
) -> None:
    def fail(module: torch.nn.Module, args: object) -> None:
        raise error("broken")

    hook = random_model.network.register_forward_pre_hook(fail)
    try:
        with pytest.raises(DeviceError):
            NerEngine(random_model, packed=False).find(["fever"])
    finally:
        hook.remove()
