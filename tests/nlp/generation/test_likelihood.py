from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlp.generation.completion import Likelihood
from nlp.generation.errors import GenerationError
from nlp.generation.model import LocalTextModel
from nlp.ner.errors import DeviceError
from tests.language_models import TEXTS

CONTEXTS = (*TEXTS, "Is lithium safe? ", "Answer:", "", "  ", "a\n")
CONTINUATIONS = (" yes", " no", " rarely, in renal failure", "the", " ")
PAIRS = [(context, more) for context in CONTEXTS for more in CONTINUATIONS[:4]]


def harness_tokens(model: LocalTextModel, context: str, more: str) -> tuple[list[int], list[int]]:
    """The harness's rule, written out plainly for models without special tokens in their texts."""
    tokenizer = model.codec.tokenizer
    start = tokenizer.bos_token_id
    if context == "":
        return [start], tokenizer(more, add_special_tokens=False)["input_ids"]
    spaces = len(context) - len(context.rstrip())
    if spaces:
        context, more = context[:-spaces], context[-spaces:] + more
    first = tokenizer(context)["input_ids"] if context else []
    whole = tokenizer(context + more)["input_ids"]
    return (first or [start]), whole[len(first) :]


def plain(model: LocalTextModel, context: str, more: str) -> Likelihood:
    """One pair by itself: all tokens through the network, no cache, no padding."""
    first, following = harness_tokens(model, context, more)
    row = [*first, *following][-(model.context + 1) :][:-1]
    with torch.inference_mode():
        logits = model.network.network(torch.tensor([row])).logits[0, -len(following) :]
    scores = logits.log_softmax(-1)
    wanted = torch.tensor(following)
    total = scores.gather(1, wanted[:, None]).sum()
    return Likelihood(float(total), len(following), bool((scores.argmax(-1) == wanted).all()))


def check(model: LocalTextModel, pairs: list[tuple[str, str]]) -> None:
    for pair, scored in zip(pairs, model.log_likelihoods(pairs), strict=True):
        expected = plain(model, *pair)
        assert scored.log_probability == pytest.approx(expected.log_probability, abs=2e-4)
        assert (scored.tokens, scored.is_greedy) == (expected.tokens, expected.is_greedy)


def test_batches_score_as_one_pair_at_a_time(model: LocalTextModel) -> None:
    check(model, PAIRS)


def test_a_long_context_loses_its_beginning(model: LocalTextModel) -> None:
    long = " ".join(TEXTS * 6)
    assert model.count_tokens([long])[0] > model.context
    check(model, [(long, more) for more in CONTINUATIONS[:3]])


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(pairs=st.lists(st.sampled_from(PAIRS), min_size=1, max_size=10), budget=st.integers(1, 400))
def test_order_and_budget_do_not_matter(
    models: dict[str, LocalTextModel], pairs: list[tuple[str, str]], budget: int
) -> None:
    model = models["biogpt"]
    before, model.batch_tokens = model.batch_tokens, budget
    try:
        check(model, pairs)
    finally:
        model.batch_tokens = before


def test_what_the_model_writes_is_greedy(model: LocalTextModel) -> None:
    first = model.codec.encode(TEXTS[0])
    with torch.inference_mode():
        best = int(model.network.network(torch.tensor([first])).logits[0, -1].argmax())
    from nlp.generation.likelihood import score_pairs

    other = (best + 1) % 50
    greedy, not_greedy = score_pairs(model.network, [(first, [best]), (first, [other])], 1_000)
    assert greedy.is_greedy
    assert not not_greedy.is_greedy
    assert greedy.log_probability > not_greedy.log_probability


def test_a_shared_context_is_encoded_once(
    models: dict[str, LocalTextModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models["gpt2"]
    forward, fed = model.network.forward, []

    def count(tokens: torch.Tensor, *rest: Any, **more: Any) -> torch.Tensor:
        fed.append(tokens.numel())
        return forward(tokens, *rest, **more)

    monkeypatch.setattr(model.network, "forward", count)
    pairs = [(TEXTS[3], more) for more in (" a", " b", " c", " d")]
    model.log_likelihoods(pairs)
    lengths = [sum(map(len, harness_tokens(model, *pair))) for pair in pairs]
    assert sum(fed) < sum(lengths) / 2


def test_many_continuations_of_a_context_keep_to_the_budget(
    models: dict[str, LocalTextModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models["gpt2"]
    pairs = [(TEXTS[0], f" {number} of many") for number in range(40)]
    expected = model.log_likelihoods(pairs)
    forward, rows = model.network.forward, []

    def count(tokens: torch.Tensor, *rest: Any, **more: Any) -> torch.Tensor:
        rows.append(len(tokens))
        return forward(tokens, *rest, **more)

    monkeypatch.setattr(model.network, "forward", count)
    monkeypatch.setattr(model, "batch_tokens", 300)
    found = model.log_likelihoods(pairs)
    longest = max(sum(map(len, harness_tokens(model, *pair))) for pair in pairs)
    assert max(rows) * (longest - 1) <= 300
    for left, right in zip(found, expected, strict=True):
        assert left.log_probability == pytest.approx(right.log_probability, abs=2e-4)


def test_no_pairs(models: dict[str, LocalTextModel]) -> None:
    assert models["gpt2"].log_likelihoods([]) == []


@pytest.mark.parametrize("more", ["", "aspirin " * 400], ids=["empty", "too long"])
def test_what_cannot_be_scored_is_refused(model: LocalTextModel, more: str) -> None:
    with pytest.raises(GenerationError) as raised:
        model.log_likelihoods([("a context", more)])
    assert "aspirin" not in str(raised.value)


def test_a_batch_without_memory_is_halved(
    models: dict[str, LocalTextModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models["llama"]
    expected = model.log_likelihoods(PAIRS)
    forward = model.network.forward

    def narrow(tokens: torch.Tensor, *rest: Any, **more: Any) -> torch.Tensor:
        if len(tokens) > 2:
            raise torch.cuda.OutOfMemoryError
        return forward(tokens, *rest, **more)

    monkeypatch.setattr(model.network, "forward", narrow)
    for left, right in zip(model.log_likelihoods(PAIRS), expected, strict=True):
        assert left.log_probability == pytest.approx(right.log_probability, abs=2e-4)

    def fail(*_: Any, **__: Any) -> torch.Tensor:
        raise torch.cuda.OutOfMemoryError

    monkeypatch.setattr(model.network, "forward", fail)
    with pytest.raises(DeviceError):
        model.log_likelihoods(PAIRS[:3])
