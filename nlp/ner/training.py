"""Fine-tuning an encoder as a token classifier on texts with gold mentions.

Corpora may annotate only some of the labels. Where a text's corpus says nothing about a label, a
word outside all gold mentions may be O or any tag of that label: the loss is the negative log of
the probability they share, so silence is not taught as absence.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import AutoModelForTokenClassification, AutoTokenizer, PreTrainedModel

from nlp.ner.device import choose_device, cpu_multiplies_bf16
from nlp.ner.engine import OVERLAP, NerEngine, Words, read_words
from nlp.ner.model import MAX_CONTEXT, LoadedModel, special_tokens
from nlp.ner.score import SpanScore, score_spans
from nlp.ner.tags import bio_tags, read_tags
from nlp.ner.windows import Window, cut_windows


@dataclass(frozen=True)
class GoldText:
    """A text with gold mentions (start, end, label) and the labels its corpus annotates."""

    text: str
    mentions: tuple[tuple[int, int, str], ...]
    annotated: frozenset[str]


@dataclass(frozen=True)
class Recipe:
    """Settings of one training run; rates are per step of ``batch_windows`` windows."""

    labels: tuple[str, ...] = ("Chemical", "Disease")
    epochs: int = 8
    batch_windows: int = 8
    encoder_rate: float = 3e-4
    head_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup_share: float = 0.06
    dropout: float = 0.1
    seed: int = 13


@dataclass(frozen=True)
class _Example:
    """One window ready for a batch.

    ``token_ids`` (tokens with specials,); ``positions`` (words,) of first tokens in it;
    ``allowed`` (words, tags), 1 where the gold allows the tag.
    """

    token_ids: NDArray[np.int64]
    positions: NDArray[np.int64]
    allowed: NDArray[np.float32]


def allowed_tags(words: Words, gold: GoldText, tags: Sequence[str]) -> NDArray[np.float32]:
    """Which tags the gold allows for each word, shape (words, tags), 0 or 1.

    A word belongs to a mention when they share a character; of overlapping mentions the longest
    is taught. Words outside mentions allow O and every tag of labels not annotated.
    """
    index = {tag: i for i, tag in enumerate(tags)}
    outside = np.zeros(len(tags), dtype=np.float32)
    outside[index["O"]] = 1.0
    for tag in tags:
        if tag != "O" and tag[2:] not in gold.annotated:
            outside[index[tag]] = 1.0
    allowed = np.tile(outside, (len(words.starts), 1))
    taken = np.zeros(len(words.starts), dtype=bool)
    for start, end, label in sorted(gold.mentions, key=lambda m: (m[0] - m[1], m[0])):
        first = int(np.searchsorted(words.ends, start, side="right"))
        last = int(np.searchsorted(words.starts, end, side="left"))
        if label not in gold.annotated or first >= last or taken[first:last].any():
            continue
        taken[first:last] = True
        allowed[first:last] = 0.0
        allowed[first, index[f"B-{label}"]] = 1.0
        allowed[first + 1 : last, index[f"I-{label}"]] = 1.0
    return allowed


def train(
    base: Path,
    gold: Sequence[GoldText],
    dev: Sequence[GoldText],
    out: Path,
    recipe: Recipe,
    report: Callable[[str], None] = print,
) -> SpanScore:
    """Fine-tune the encoder in ``base`` and save the last epoch's classifier to ``out``.

    Args:
        base: folder of the encoder with a fast tokenizer.
        gold: training texts.
        dev: texts whose span score is reported each second epoch; nothing is chosen by it.
        out: folder that receives config, fp16 weights and tokenizer.
        recipe: labels and settings.
        report: receives a line an epoch.

    Returns:
        The strict span score on ``dev`` of the saved weights.
    """
    random.seed(recipe.seed)
    torch.manual_seed(recipe.seed)
    tags = bio_tags(recipe.labels)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = True
    network = AutoModelForTokenClassification.from_pretrained(
        base,
        local_files_only=True,
        id2label=dict(enumerate(tags)),
        label2id={tag: i for i, tag in enumerate(tags)},
        hidden_dropout_prob=recipe.dropout,
        attention_probs_dropout_prob=0.0,  # else SDPA leaves its fast path
        dtype=torch.float32,
    )
    examples = _examples(gold, backend, tags)
    optimiser, schedule = _optimiser(network, recipe, len(examples))
    score = SpanScore(0, 0, 0)
    for epoch in range(1, recipe.epochs + 1):
        loss = _epoch(network, examples, optimiser, schedule, recipe)
        line = f"epoch {epoch}/{recipe.epochs} loss {loss:.4f}"
        if epoch == recipe.epochs or epoch % 2 == 0:
            score = _evaluate(network, backend, dev, tags)
            line += (
                f" dev precision {score.precision:.4f} recall {score.recall:.4f} F1 {score.f1:.4f}"
            )
        report(line)
    network.half().save_pretrained(out)
    tokenizer.model_max_length = MAX_CONTEXT
    tokenizer.save_pretrained(out)
    return score


def _examples(gold: Sequence[GoldText], tokenizer: Tokenizer, tags: list[str]) -> list[_Example]:
    before, after = special_tokens(tokenizer)
    size = MAX_CONTEXT - len(before) - len(after)
    examples = []
    for text, encoding in zip(
        gold, tokenizer.encode_batch([g.text for g in gold], add_special_tokens=False), strict=True
    ):
        words = read_words(encoding)
        allowed = allowed_tags(words, text, tags)
        for window in cut_windows(len(words.token_ids), size, OVERLAP):
            examples.append(_example(window, words, allowed, before, after))
    return examples


def _example(
    window: Window,
    words: Words,
    allowed: NDArray[np.float32],
    before: tuple[int, ...],
    after: tuple[int, ...],
) -> _Example:
    first, last = np.searchsorted(words.first_tokens, [window.start, window.end])
    pieces = words.token_ids[window.start : window.end]
    return _Example(
        np.concatenate([before, pieces, after]).astype(np.int64),
        words.first_tokens[first:last] - window.start + len(before),
        allowed[first:last],
    )


def _optimiser(
    network: PreTrainedModel, recipe: Recipe, examples: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    head = [p for name, p in network.named_parameters() if name.startswith("classifier")]
    body = [p for name, p in network.named_parameters() if not name.startswith("classifier")]
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": recipe.encoder_rate}, {"params": head, "lr": recipe.head_rate}],
        weight_decay=recipe.weight_decay,
    )
    steps = recipe.epochs * -(-examples // recipe.batch_windows)
    warmup = max(1, int(steps * recipe.warmup_share))

    def share(step: int) -> float:
        return min((step + 1) / warmup, max(0.0, (steps - step) / max(1, steps - warmup)))

    return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, share)


def _epoch(
    network: PreTrainedModel,
    examples: list[_Example],
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    recipe: Recipe,
) -> float:
    """One pass over shuffled examples; returns the mean loss a word."""
    network.train()
    order = random.sample(range(len(examples)), len(examples))
    total, words = 0.0, 0
    for first in range(0, len(order), recipe.batch_windows):
        batch = [examples[i] for i in order[first : first + recipe.batch_windows]]
        loss, count = _loss(network, batch)
        optimiser.zero_grad()
        (loss / count).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        total += float(loss.detach())
        words += count
    return total / words


def _loss(network: PreTrainedModel, batch: list[_Example]) -> tuple[torch.Tensor, int]:
    """Summed loss of a batch and its number of words."""
    width = max(len(e.token_ids) for e in batch)
    token_ids = torch.zeros(len(batch), width, dtype=torch.int64)
    mask = torch.zeros(len(batch), width, dtype=torch.int64)
    for row, example in enumerate(batch):
        token_ids[row, : len(example.token_ids)] = torch.from_numpy(example.token_ids)
        mask[row, : len(example.token_ids)] = 1
    rows = torch.from_numpy(np.repeat(np.arange(len(batch)), [len(e.positions) for e in batch]))
    columns = torch.from_numpy(np.concatenate([e.positions for e in batch]))
    allowed = torch.from_numpy(np.concatenate([e.allowed for e in batch]))
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=cpu_multiplies_bf16()):
        logits = network(input_ids=token_ids, attention_mask=mask).logits
    log_probs = torch.log_softmax(logits[rows, columns].float(), dim=-1)
    return -torch.logsumexp(log_probs + torch.log(allowed), dim=-1).sum(), len(rows)


def _evaluate(
    network: PreTrainedModel, tokenizer: Tokenizer, dev: Sequence[GoldText], tags: list[str]
) -> SpanScore:
    network.eval()  # type: ignore[no-untyped-call]
    before, after = special_tokens(tokenizer)
    engine = NerEngine(
        LoadedModel(
            name="training",
            network=network,
            tokenizer=tokenizer,
            tags=read_tags(dict(enumerate(tags))),
            start_tokens=before,
            end_tokens=after,
            pad_token=0,
            context=MAX_CONTEXT,
            device=choose_device("cpu", "fp32"),
        )
    )
    found = engine.find([g.text for g in dev])
    return score_spans(
        [{m for m in g.mentions if m[2] in g.annotated} for g in dev],
        [
            {(s.start, s.end, s.label) for s in spans if s.label in g.annotated}
            for g, spans in zip(dev, found, strict=True)
        ],
    )
