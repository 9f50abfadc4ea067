"""Lessons to rows of tokens: texts packed to the context, prompts and completions one a row."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from nlp.generation.codec import Codec, cut_middle
from nlp.generation.completion import Prompt
from nlp.generation.training.lesson import Lesson
from nlp.ner.errors import TrainingError

UNLEARNT = -100
"""Stands for a token that is not learnt; torch's cross-entropy leaves it out."""

_SORTED_BATCHES = 50
"""Batches' worth of rows that are sorted by length at a time, so that little is padded."""


@dataclass(frozen=True)
class Row:
    """Tokens, and for each the token itself where it is to be learnt, else :data:`UNLEARNT`."""

    tokens: tuple[int, ...]
    labels: tuple[int, ...]

    @property
    def learnt(self) -> int:
        """Tokens that are learnt."""
        return sum(label != UNLEARNT for label in self.labels)


def make_rows(lessons: Sequence[Lesson], codec: Codec, longest: int) -> list[Row]:
    """Rows of at most ``longest`` tokens; texts first.

    Raises:
        TrainingError: the model has no end token, or completions do not fit into a row.
    """
    texts = [lesson.text for lesson in lessons if lesson.prompt is None]
    pairs = [(x.prompt, x.text) for x in lessons if x.prompt is not None]
    return [*pack_texts(texts, codec, longest), *_pair_rows(pairs, codec, longest)]


def pack_texts(texts: Iterable[str], codec: Codec, longest: int) -> list[Row]:
    """Texts one after another, each ended, cut into rows of ``longest`` tokens.

    Each row begins with the last token of the row before, as context. So every token of every
    text, and the end of each, is learnt exactly once; the token of a text's beginning is not.
    A beginning that is the end of the text before (GPT-2, BioGPT) stands there once.
    """
    begin, end = _begin(codec), _end(codec)
    tokens = [codec.prefix]
    labels = [UNLEARNT]
    rows = []
    for text in texts:
        opening = begin[1:] if begin and tokens[-1] == begin[0] else begin
        own = [*codec.encode_text(text), end]
        tokens += [*opening, *own]
        labels += [UNLEARNT] * len(opening) + own
        while len(tokens) > longest:
            rows.append(_row(tokens[:longest], labels[:longest]))
            tokens = tokens[longest - 1 :]
            labels = [UNLEARNT, *labels[longest:]]
    rows.append(_row(tokens, labels))
    return [row for row in rows if row.learnt]


def _pair_rows(pairs: Sequence[tuple[str, str]], codec: Codec, longest: int) -> list[Row]:
    end = _end(codec)
    rows, too_long = [], 0
    for prompt, completion in pairs:
        before, after = encode_lesson(prompt, completion, codec)
        after.append(end)
        if len(after) >= longest:
            too_long += 1
            continue
        before = cut_middle(before, longest - len(after))
        rows.append(_row([*before, *after], [UNLEARNT] * len(before) + after))
    if too_long:
        raise TrainingError(
            f"{too_long:,} completions are longer than a row of {longest:,} tokens; shorten them, "
            "or raise --max-tokens where it is set"
        )
    return rows


def encode_lesson(prompt: str, completion: str, codec: Codec) -> tuple[list[int], list[int]]:
    """Tokens of a prompt as it is asked in use, and of what follows it, the end left out.

    The completion has the tokens that it has after its prompt in one text, where the prompt's own
    stay the same there; else those that it has alone.
    """
    before = codec.encode_prompt(Prompt(prompt))
    if not getattr(codec.tokenizer, "chat_template", None):
        opening = _begin(codec) if before[:1] == _begin(codec)[:1] else []
        whole = [*opening, *codec.encode_text(prompt + completion)]
        if whole[: len(before)] == before and len(whole) > len(before):
            return before, whole[len(before) :]
    return before, codec.encode_text(completion)


def make_batches(rows: Sequence[Row], tokens: int, seed: int | None = None) -> list[list[Row]]:
    """Rows of about the same length together, padded at most ``tokens`` a batch; a row at least.

    Args:
        rows: any number.
        tokens: of a batch.
        seed: of which rows come together; None keeps no chance: all are sorted by length.
    """
    rows = list(rows)
    if seed is not None:
        random.Random(seed).shuffle(rows)
    mean = sum(len(row.tokens) for row in rows) / max(1, len(rows))
    at_once = len(rows) if seed is None else int(_SORTED_BATCHES * max(1.0, tokens / max(1, mean)))
    batches: list[list[Row]] = []
    for first in range(0, len(rows), max(1, at_once)):
        batch: list[Row] = []
        for row in sorted(rows[first : first + at_once], key=lambda row: len(row.tokens)):
            if batch and (len(batch) + 1) * len(row.tokens) > tokens:
                batches.append(batch)
                batch = []
            batch.append(row)
        batches.append(batch)
    return batches


def collate(rows: Sequence[Row]) -> dict[str, torch.Tensor]:
    """Rows padded on the right: ``input_ids``, ``attention_mask`` and ``labels``, all of one shape
    ``(rows, longest)``."""
    longest = max(len(row.tokens) for row in rows)
    gaps = [longest - len(row.tokens) for row in rows]
    both = list(zip(rows, gaps, strict=True))
    return {
        "input_ids": torch.tensor([[*row.tokens, *[0] * gap] for row, gap in both]),
        "attention_mask": torch.tensor([[1] * len(row.tokens) + [0] * gap for row, gap in both]),
        "labels": torch.tensor([[*row.labels, *[UNLEARNT] * gap] for row, gap in both]),
    }


def _row(tokens: Sequence[int], labels: Sequence[int]) -> Row:
    return Row(tuple(tokens), tuple(labels))


def _begin(codec: Codec) -> list[int]:
    """Special tokens that the tokenizer puts before a text: none of GPT-2's, one of BioGPT's."""
    bare, whole = codec.encode("a", special=False), codec.encode("a", special=True)
    places = range(len(whole) - len(bare) + 1)
    return next((whole[:n] for n in places if whole[n : n + len(bare)] == bare), [])


def _end(codec: Codec) -> int:
    if not codec.ends:
        raise TrainingError("the base has no end token, so no text could be ended")
    own = codec.tokenizer.eos_token_id
    return int(own) if own in codec.ends else min(codec.ends)
