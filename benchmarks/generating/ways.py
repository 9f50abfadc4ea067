"""Ways to complete the same prompts with the same model: ours beside those of transformers."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from transformers import ContinuousBatchingConfig, GenerationConfig

from nlp.generation.completion import Prompt, Sampling
from nlp.generation.model import LocalTextModel

Tokens = list[list[int]]
_PAGE = 32


@dataclass(frozen=True)
class Measured:
    """Medians of the repeats, and what was written."""

    seconds: float
    cpu_seconds: float
    made: Tokens

    @property
    def rate(self) -> float:
        """Made tokens per second, end tokens included."""
        return sum(map(len, self.made)) / self.seconds

    @property
    def cpu_rate(self) -> float:
        """Made tokens per CPU second, which others at work on the machine change less."""
        return sum(map(len, self.made)) / self.cpu_seconds


def measure(ways: dict[str, Callable[[], Tokens]], repeat: int, device: str) -> dict[str, Measured]:
    """Run the ways in turns, so that a machine's noise meets all of them alike."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    worked: dict[str, list[float]] = {name: [] for name in ways}
    made: dict[str, Tokens] = {}
    for _ in range(repeat):
        for name, way in ways.items():
            synchronize(device)
            clock, work = time.perf_counter(), time.process_time()
            made[name] = way()
            synchronize(device)
            spent[name].append(time.perf_counter() - clock)
            worked[name].append(time.process_time() - work)
    median = statistics.median
    return {name: Measured(median(spent[name]), median(worked[name]), made[name]) for name in ways}


def synchronize(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def ours(model: LocalTextModel, prompts: Sequence[str], new: int, rows: int) -> Tokens:
    """Our batches of at most so many rows; the words of a completion are its tokens."""
    model.batch_rows = rows
    model.batch_tokens = rows * model.context
    completions = model.generate([Prompt(p) for p in prompts], Sampling(max_new_tokens=new))
    words = [[int(word[1:]) for word in completion.text.split()] for completion in completions]
    # The end token is no word; what it was is not told.
    return [
        made + [-1] * (completion.completion_tokens - len(made))
        for made, completion in zip(words, completions, strict=True)
    ]


def one_at_a_time(model: LocalTextModel, prompts: Sequence[str], new: int) -> Tokens:
    return padded(model, prompts, new, rows=1)


def padded(
    model: LocalTextModel, prompts: Sequence[str], new: int, rows: int, *, by_length: bool = False
) -> Tokens:
    """transformers' ``generate`` on batches padded on the left, in the order given or sorted."""
    tokenizer, network = model.codec.tokenizer, model.network.network
    tokenizer.padding_side = "left"
    order = list(range(len(prompts)))
    if by_length:
        order.sort(key=lambda place: -len(prompts[place].split()))
    made: Tokens = [[] for _ in prompts]
    ends = model.codec.ends
    for first in range(0, len(order), rows):
        places = order[first : first + rows]
        batch = tokenizer([prompts[place] for place in places], return_tensors="pt", padding=True)
        batch = {key: batch[key].to(network.device) for key in ("input_ids", "attention_mask")}
        with torch.inference_mode():
            whole = network.generate(**batch, max_new_tokens=new, do_sample=False)
        for place, row in zip(
            places, whole[:, batch["input_ids"].shape[1] :].tolist(), strict=True
        ):
            made[place] = _until_end(row, ends)
    return made


def continuous(model: LocalTextModel, prompts: Sequence[str], new: int, rows: int) -> Tokens:
    """transformers' continuous batching (``generate_batch``), with pages for so many rows.

    Left to itself on a CPU it takes most of the memory for its pages.
    """
    network = model.network.network
    config = GenerationConfig(
        max_new_tokens=new,
        do_sample=False,
        eos_token_id=sorted(model.codec.ends),
        pad_token_id=1,
    )
    encoded = [model.codec.encode_prompt(Prompt(prompt)) for prompt in prompts]
    pages = ContinuousBatchingConfig(
        page_size=_PAGE,
        num_blocks=rows * (-(-(max(map(len, encoded)) + new) // _PAGE) + 1),
        max_batch_tokens=512,
    )
    outputs = network.generate_batch(
        encoded, generation_config=config, continuous_batching_config=pages
    )
    made = [outputs[key] for key in sorted(outputs, key=lambda key: int(key.rsplit("_", 1)[-1]))]
    return [_until_end(list(output.generated_tokens), model.codec.ends) for output in made]


def _until_end(tokens: list[int], ends: frozenset[int]) -> list[int]:
    for number, token in enumerate(tokens):
        if token in ends:
            return [*tokens[:number], -1]
    return tokens


def same_share(left: Tokens, right: Tokens) -> float:
    """Share of prompts that both ways completed alike."""
    return sum(a == b for a, b in zip(left, right, strict=True)) / len(left)


def peak_memory(device: str) -> float:
    """Most memory so far in GB: of the GPU, or resident of this process."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
