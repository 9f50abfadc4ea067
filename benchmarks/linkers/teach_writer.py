"""A small language model that learns to complete names of a store by their preferred names."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from linkers.speed import slipped
from linkers.tables import say
from ontologies.store import ConceptStore
from ontologies.writing.pairs import name_pairs
from ontologies.writing.settings import MENTION, TEMPLATE
from tests.language_models import make_biogpt, make_gpt2

GPT2, BIOGPT = "gpt2", "biogpt"
_MAKE = {GPT2: make_gpt2, BIOGPT: make_biogpt}


@dataclass(frozen=True)
class Lesson:
    """How a model is made and taught; of ``seconds`` the last part lowers the rate to 0."""

    form: str = GPT2
    seconds: float = 600.0
    vocabulary: int = 8000
    width: int = 256
    layers: int = 4
    batch: int = 64
    rate: float = 1e-3
    seed: int = 13


def taught(folder: Path, store: ConceptStore, types: Sequence[str], lesson: Lesson) -> Path:
    """Make a model of random weights in a folder and teach it; one that is there is taken.

    Args:
        folder: the model's.
        store: whose names are taught, as ``charthouse ontology pairs`` writes them.
        types: only concepts with these.
        lesson: how.
    """
    if (folder / "lesson.json").exists():
        return folder
    # The bare name: it is put into the template when it has been written as a mention is.
    before, _, after = TEMPLATE.partition(MENTION)
    bare = pl.col("prompt").str.strip_prefix(before).str.strip_suffix(after)
    pairs = name_pairs(store, types=types).with_columns(name=bare)
    texts = [p + c for p, c in pairs.select("prompt", "completion").iter_rows()]
    make = _MAKE[lesson.form]
    make(folder, texts, size=lesson.vocabulary, width=lesson.width, layers=lesson.layers)
    torch.manual_seed(lesson.seed)
    config = AutoConfig.from_pretrained(folder)
    config.initializer_range = 0.02
    network = AutoModelForCausalLM.from_config(config)
    told = _teach(network, AutoTokenizer.from_pretrained(folder), pairs, lesson)
    network.eval().save_pretrained(folder)
    (folder / "lesson.json").write_text(json.dumps(asdict(lesson) | told))
    return folder


def _teach(network, tokenizer, pairs: pl.DataFrame, lesson: Lesson) -> dict[str, float]:
    optimizer = torch.optim.AdamW(network.parameters(), lr=lesson.rate, weight_decay=0.01)
    network.train()
    begun, step, mean = time.process_time(), 0, 0.0
    for ids, labels in _batches(tokenizer, pairs, lesson):
        done = (time.process_time() - begun) / lesson.seconds
        if done >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = lesson.rate * min((step + 1) / 200, 1.0, (1 - done) / 0.7)
        with torch.autocast("cpu", torch.bfloat16):
            loss = network(input_ids=ids, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step, mean = (
            step + 1,
            float(loss.detach()) if not step else 0.98 * mean + 0.02 * float(loss.detach()),
        )
        if step % 200 == 0:
            say(f"  {done:.0%} of the lesson, {step * lesson.batch:,} pairs, loss {mean:.2f}")
    return {"steps": step, "pairs": len(pairs), "loss": round(mean, 3)}


def _batches(
    tokenizer, pairs: pl.DataFrame, lesson: Lesson
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Batches of like length without end; names are written as mentions are, some with a slip."""
    dice = random.Random(lesson.seed)
    rows = list(pairs.select("name", "completion").iter_rows())
    names = [name for name, _ in rows]
    last = TEMPLATE.split()[-1]
    own = len(tokenizer(last, add_special_tokens=False)["input_ids"])
    end = tokenizer.eos_token_id
    while True:
        dice.shuffle(rows)
        for start in range(0, len(rows), 32 * lesson.batch):
            tokens = []
            for name, completion in rows[start : start + 32 * lesson.batch]:
                prompt = TEMPLATE.replace(MENTION, as_mentioned(name, names, dice))
                asked = tokenizer(prompt)["input_ids"][:48]
                told = tokenizer(last + completion, add_special_tokens=False)["input_ids"]
                told = [*told[own:], end][:48]
                tokens.append((asked, told))
            tokens.sort(key=lambda pair: len(pair[0]) + len(pair[1]))
            batches = [tokens[at : at + lesson.batch] for at in range(0, len(tokens), lesson.batch)]
            dice.shuffle(batches)
            yield from (_tensors(batch, end) for batch in batches)


def _tensors(
    batch: Sequence[tuple[list[int], list[int]]], end: int
) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(len(asked) + len(told) for asked, told in batch)
    ids = torch.full((len(batch), longest), end)
    labels = torch.full((len(batch), longest), -100)
    for row, (asked, told) in enumerate(batch):
        ids[row, : len(asked) + len(told)] = torch.tensor([*asked, *told])
        labels[row, len(asked) : len(asked) + len(told)] = torch.tensor(told)
    return ids, labels


def as_mentioned(name: str, names: Sequence[str], dice: random.Random) -> str:
    """A name as texts have it: mostly in lower case, not inverted, in the singular, with slips."""
    head, comma, rest = name.partition(", ")
    if comma and ", " not in rest and dice.random() < 0.5:
        name = f"{rest} {head}"
    if name.endswith("s") and dice.random() < 0.2:
        name = name[:-1]
    if dice.random() < 0.6:
        name = name.lower()
    return slipped(name, names, dice) if dice.random() < 0.1 and len(name) > 3 else name
