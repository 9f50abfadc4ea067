from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers.processors import TemplateProcessing

from nlp.generation.codec import cut_middle
from nlp.generation.completion import LENGTH, STOP, Completion, Prompt, Sampling
from nlp.generation.errors import GenerationError
from nlp.generation.model import LocalTextModel
from nlp.ner.errors import DeviceError, ModelError
from tests.language_models import TEXTS

WORDS = " ".join(TEXTS).split()
PROMPTS = [Prompt(" ".join(WORDS[n % 7 : n % 7 + 1 + n * 5 % 29]), key=f"d{n}") for n in range(32)]
GREEDY = Sampling(max_new_tokens=12)
DRAWN = Sampling(max_new_tokens=12, temperature=1.3, top_p=0.9, top_k=40, seed=5)


def told(completions: list[Completion]) -> list[tuple[object, ...]]:
    """All but the score, whose last digits are rounding."""
    return [tuple(vars(replace(each, score=None)).values()) for each in completions]


def by_transformers(model: LocalTextModel, prompt: Prompt, **settings: Any) -> list[int]:
    row = torch.tensor([model.codec.encode_prompt(prompt)])
    made = model.network.network.generate(
        row, attention_mask=torch.ones_like(row), do_sample=False, pad_token_id=0, **settings
    )
    tokens: list[int] = made[0, row.shape[1] :].tolist()
    return tokens


def test_a_batch_writes_what_transformers_writes_for_each_prompt(model: LocalTextModel) -> None:
    made = model.generate(PROMPTS, GREEDY)
    for prompt, completion in zip(PROMPTS, made, strict=True):
        tokens = by_transformers(model, prompt, max_new_tokens=12)
        ended = tokens[-1] in model.codec.ends
        assert completion.text == model.codec.decode(tokens)
        assert completion.completion_tokens == len(tokens)
        assert completion.finish_reason == (STOP if ended else LENGTH)
        assert completion.prompt_tokens == len(model.codec.encode_prompt(prompt))
    assert len({completion.text for completion in made}) > 8


def test_a_repetition_penalty_is_that_of_transformers(model: LocalTextModel) -> None:
    made = model.generate(PROMPTS[:8], replace(GREEDY, repetition_penalty=1.4))
    for prompt, completion in zip(PROMPTS, made, strict=False):
        tokens = by_transformers(model, prompt, max_new_tokens=12, repetition_penalty=1.4)
        assert completion.text == model.codec.decode(tokens)
    assert told(made) != told(model.generate(PROMPTS[:8], GREEDY))


@pytest.mark.parametrize("sampling", [GREEDY, DRAWN], ids=["greedy", "drawn"])
def test_a_text_does_not_hang_on_its_batch(model: LocalTextModel, sampling: Sampling) -> None:
    alone = [model.generate([prompt], sampling)[0] for prompt in PROMPTS]
    for rows in (5, 32):
        model.batch_rows = rows
        together = model.generate(PROMPTS, sampling)
        assert told(together) == told(alone)
        for left, right in zip(together, alone, strict=True):
            assert left.score == pytest.approx(right.score, abs=1e-4)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    chosen=st.lists(st.sampled_from(range(32)), min_size=1, max_size=12),
    budget=st.integers(1, 1_500),
    drawn=st.booleans(),
)
def test_order_repeats_and_budget_do_not_matter(
    models: dict[str, LocalTextModel], chosen: list[int], budget: int, drawn: bool
) -> None:
    model, sampling = models["gpt2"], replace(DRAWN if drawn else GREEDY, max_new_tokens=8)
    expected = model.generate(PROMPTS, sampling)
    before, model.batch_tokens = model.batch_tokens, budget
    try:
        made = model.generate([PROMPTS[number] for number in chosen], sampling)
    finally:
        model.batch_tokens = before
    assert told(made) == [told(expected)[number] for number in chosen]


def test_draws_hang_on_seed_and_key(models: dict[str, LocalTextModel]) -> None:
    model = models["gpt2"]
    prompts = [Prompt(TEXTS[0], key=key) for key in ("a", "b", "a")]
    first, other, again = model.generate(prompts, DRAWN)
    assert told([first]) == told([again])
    assert first.text != other.text
    assert model.generate(prompts[:1], replace(DRAWN, seed=6))[0].text != first.text


def test_one_token_to_draw_from_is_greedy(model: LocalTextModel) -> None:
    greedy = told(model.generate(PROMPTS[:6], GREEDY))
    for narrow in (replace(DRAWN, top_k=1), replace(DRAWN, top_p=1e-6)):
        assert told(model.generate(PROMPTS[:6], narrow)) == greedy


def test_drawn_tokens_have_the_models_probabilities(models: dict[str, LocalTextModel]) -> None:
    model = models["biogpt"]
    row = torch.tensor([model.codec.encode_prompt(PROMPTS[9])])
    with torch.inference_mode():
        logits = model.network.network(row).logits[0, -1]
    wanted = (logits / 2).softmax(-1)
    top = [int(token) for token in wanted.topk(4).indices]
    prompts = [Prompt(PROMPTS[9].text, key=str(number)) for number in range(600)]
    made = model.generate(prompts, Sampling(max_new_tokens=1, temperature=2.0))
    for token in top:
        if token in model.codec.ends or model.codec.decode([token]) == "":
            continue
        share = sum(each.text == model.codec.decode([token]) for each in made) / 600
        assert share == pytest.approx(float(wanted[token]), abs=0.09)


def test_the_score_is_the_mean_log_probability(model: LocalTextModel) -> None:
    completion = model.generate([PROMPTS[4]], GREEDY)[0]
    prompt = model.codec.encode_prompt(PROMPTS[4])
    tokens = by_transformers(model, PROMPTS[4], max_new_tokens=12)
    with torch.inference_mode():
        logits = model.network.network(torch.tensor([[*prompt, *tokens]])).logits[0]
    picked = logits.log_softmax(-1)[torch.arange(len(prompt) - 1, len(prompt) + len(tokens) - 1)]
    mean = picked.gather(1, torch.tensor(tokens)[:, None]).mean()
    assert completion.score == pytest.approx(float(mean), abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_completion_ends_before_the_first_stop_string(
    models: dict[str, LocalTextModel], data: st.DataObject
) -> None:
    model = models[data.draw(st.sampled_from(["gpt2", "biogpt"]))]
    prompt = data.draw(st.sampled_from(PROMPTS[:8]))
    whole = model.generate([prompt], GREEDY)[0].text
    bounds = st.integers(0, max(0, len(whole) - 1))
    starts = data.draw(st.lists(bounds, min_size=1, max_size=2))
    stop = tuple(whole[at : at + data.draw(st.integers(1, 5))] or "zq" for at in starts)
    made = model.generate([prompt], replace(GREEDY, stop=stop))[0]
    assert not any(string in made.text for string in stop)
    if model is models["gpt2"] and "�" not in "".join(stop):
        places = [whole.find(string) for string in stop if string in whole]
        if places:  # bytes to text never changes what stands before
            assert made.text == whole[: min(places)]
            assert made.finish_reason == STOP


def test_a_stop_string_may_span_tokens(models: dict[str, LocalTextModel]) -> None:
    model = models["gpt2"]
    tokens = by_transformers(model, PROMPTS[3], max_new_tokens=12)
    texts = [model.codec.decode([token]) for token in tokens]
    at = next(n for n in range(1, 11) if all(t.isprintable() and t for t in texts[n : n + 2]))
    stop = texts[at][-1] + texts[at + 1][0]
    completion = model.generate([PROMPTS[3]], replace(GREEDY, stop=(stop,)))[0]
    whole = model.codec.decode(tokens)
    assert completion.text == whole[: whole.index(stop)]
    assert completion.finish_reason == STOP
    assert completion.completion_tokens <= at + 2


def test_a_stop_string_that_never_comes_changes_nothing(model: LocalTextModel) -> None:
    bounded = model.generate(PROMPTS[:6], replace(GREEDY, stop=("never written", "\n\n\n\n")))
    assert told(bounded) == told(model.generate(PROMPTS[:6], GREEDY))


def test_a_long_prompt_loses_its_middle(model: LocalTextModel) -> None:
    long = Prompt(" ".join(WORDS * 12))
    short = PROMPTS[2]
    made, other = model.generate([long, short], GREEDY)
    tokens = model.codec.encode_prompt(long)
    assert made.prompt_tokens == model.context - 12
    assert made.truncated_tokens == len(tokens) - made.prompt_tokens
    assert other.truncated_tokens == 0
    row = torch.tensor([cut_middle(tokens, made.prompt_tokens)])
    assert row[0, :50].tolist() == tokens[:50]
    assert row[0, -50:].tolist() == tokens[-50:]
    expected = model.network.network.generate(
        row, attention_mask=torch.ones_like(row), do_sample=False, max_new_tokens=12, pad_token_id=0
    )[0, row.shape[1] :]
    assert made.text == model.codec.decode(expected.tolist())
    bounded = model.generate([long], replace(GREEDY, max_input_tokens=31))[0]
    assert bounded.prompt_tokens == 31


@pytest.mark.parametrize("limit", [1, 2, 5, 9, 10, 11])
def test_cutting_keeps_both_ends(limit: int) -> None:
    kept = cut_middle(range(10), limit)
    assert len(kept) == min(limit, 10)
    assert kept[0] == 0
    assert limit == 1 or kept[-1] == 9
    assert kept == sorted(kept)


def test_no_prompts_and_empty_prompts(model: LocalTextModel) -> None:
    assert model.generate([], GREEDY) == []
    empty, blank = model.generate([Prompt(""), Prompt(" \n")], GREEDY)
    assert empty.prompt_tokens >= 1
    assert blank.prompt_tokens >= 1
    assert model.count_tokens([]) == []
    assert model.count_tokens(["", "a"])[0] == 0


def test_progress_counts_prompts(models: dict[str, LocalTextModel]) -> None:
    seen: list[int] = []
    models["gpt2"].generate(PROMPTS, replace(GREEDY, max_new_tokens=3), seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == len(PROMPTS)


def test_system_comes_before_the_text_without_a_chat_template(model: LocalTextModel) -> None:
    made = model.generate([Prompt("the text", system="Be brief.")], GREEDY)
    assert told(made) == told(model.generate([Prompt("Be brief.\n\nthe text")], GREEDY))


@pytest.mark.parametrize("chat", [False, True], ids=["bare", "chat"])
def test_a_text_cannot_write_special_tokens(model: LocalTextModel, chat: bool) -> None:
    tokenizer = model.codec.tokenizer
    name = tokenizer.eos_token
    tokenizer.chat_template = CHAT if chat else None
    try:
        tokens = model.codec.encode_prompt(Prompt(f"a {name}{name} b", system=f"c{name}"))
        plain = model.codec.encode_prompt(Prompt("a b", system="c"))
    finally:
        tokenizer.chat_template = None
    assert tokens.count(tokenizer.eos_token_id) == plain.count(tokenizer.eos_token_id)
    assert len(tokens) > len(plain)


CHAT = (
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}[a]{% endif %}"
)
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('none') }}{% endif %}" + CHAT


@pytest.mark.parametrize(
    ("template", "rendered"),
    [(CHAT, "[system]Be brief.[user]the text[a]"), (NO_SYSTEM, "[user]Be brief.\n\nthe text[a]")],
    ids=["with system", "without"],
)
def test_a_chat_template_is_used(
    models: dict[str, LocalTextModel], template: str, rendered: str
) -> None:
    model = models["gpt2"]
    bare = model.generate([Prompt(rendered)], GREEDY)
    model.codec.tokenizer.chat_template = template
    try:
        made = model.generate([Prompt("the text", system="Be brief.")], GREEDY)
    finally:
        model.codec.tokenizer.chat_template = None
    assert told(made) == told(bare)


def test_a_chats_prompt_is_the_same_tomorrow(models: dict[str, LocalTextModel]) -> None:
    tokenizer = models["gpt2"].codec.tokenizer
    tokenizer.chat_template = "{{ strftime_now('%d %b %Y') }}: " + CHAT
    try:
        tokens = models["gpt2"].codec.encode_prompt(Prompt("the text"))
    finally:
        tokenizer.chat_template = None
    assert models["gpt2"].codec.decode(tokens) == "26 Jul 2024: [user]the text[a]"


def test_a_prompt_has_the_tokens_that_were_counted(model: LocalTextModel) -> None:
    tokenizer = model.codec.tokenizer
    note = f"a note {tokenizer.eos_token} that names it {tokenizer.eos_token}"
    for template in (None, CHAT):
        tokenizer.chat_template = template
        try:
            markup = model.codec.count_markup()
            tokens = model.codec.encode_prompt(Prompt(note, system="Be brief."))
        finally:
            tokenizer.chat_template = None
        counted = sum(model.count_tokens(["Be brief.", note]))
        assert abs(len(tokens) - counted - markup) <= 2  # of words side by side


def test_no_end_token_stands_last_in_a_prompt(models: dict[str, LocalTextModel]) -> None:
    codec = models["gpt2"].codec
    plain, end = codec.encode_prompt(PROMPTS[9]), codec.tokenizer.eos_token
    backend = codec.tokenizer.backend_tokenizer
    before = backend.post_processor
    backend.post_processor = TemplateProcessing(
        single=f"$A {end}", special_tokens=[(end, codec.tokenizer.eos_token_id)]
    )
    try:
        assert codec.encode_prompt(PROMPTS[9]) == plain
    finally:
        backend.post_processor = before or TemplateProcessing(single="$A", special_tokens=[])


def test_a_tokenizer_of_another_model_is_told(
    models: dict[str, LocalTextModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models["gpt2"]
    monkeypatch.setattr(model.network, "vocabulary", 50)
    with pytest.raises(ModelError, match="beyond the 50"):
        model.generate(PROMPTS, GREEDY)
    with pytest.raises(ModelError, match="beyond the 50"):
        model.log_likelihoods([("", prompt.text) for prompt in PROMPTS if prompt.text])


def test_the_lowest_temperature_is_nearly_greedy(model: LocalTextModel) -> None:
    made = model.generate(PROMPTS[:4], replace(GREEDY, temperature=1e-40))
    assert told(made) == told(model.generate(PROMPTS[:4], GREEDY))


def test_a_batch_without_memory_is_halved(
    models: dict[str, LocalTextModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models["biogpt"]
    expected = told(model.generate(PROMPTS, DRAWN))
    forward, sizes = model.network.forward, []

    def narrow(tokens: torch.Tensor, mask: torch.Tensor, *rest: Any, **more: Any) -> torch.Tensor:
        sizes.append(len(tokens))
        if len(tokens) > 5 and len(sizes) > 6:  # first while rows are under way
            raise torch.cuda.OutOfMemoryError
        return forward(tokens, mask, *rest, **more)

    monkeypatch.setattr(model.network, "forward", narrow)
    assert told(model.generate(PROMPTS, DRAWN)) == expected
    assert sizes[-1] <= 5 < max(sizes)


@pytest.mark.parametrize("step", range(2, 14))
def test_no_completion_is_lost_when_memory_runs_out(
    models: dict[str, LocalTextModel], monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    model = models["biogpt"]
    few, stop = PROMPTS[:8], replace(GREEDY, stop=("in", "a"))
    expected = told(model.generate(few, stop))
    forward, calls = model.network.forward, []

    def once(*given: Any, **more: Any) -> torch.Tensor:
        calls.append(None)
        if len(calls) == step:
            raise torch.cuda.OutOfMemoryError
        return forward(*given, **more)

    monkeypatch.setattr(model.network, "forward", once)
    assert told(model.generate(few, stop)) == expected


@pytest.mark.parametrize(
    "failure", [torch.cuda.OutOfMemoryError(), RuntimeError("no kernel")], ids=["memory", "device"]
)
def test_a_device_that_fails_is_told(
    models: dict[str, LocalTextModel], monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*_: object, **__: object) -> torch.Tensor:
        raise failure

    monkeypatch.setattr(models["gpt2"].network, "forward", fail)
    with pytest.raises(DeviceError):
        models["gpt2"].generate(PROMPTS, GREEDY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_new_tokens": 0},
        {"max_new_tokens": 256},
        {"temperature": -1.0},
        {"top_p": 0.0},
        {"repetition_penalty": 0.0},
        {"stop": ("",)},
        {"max_input_tokens": -1},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_senseless_settings_are_refused(
    models: dict[str, LocalTextModel], wrong: dict[str, Any]
) -> None:
    with pytest.raises(GenerationError):
        models["gpt2"].generate(PROMPTS[:1], replace(GREEDY, **wrong))
