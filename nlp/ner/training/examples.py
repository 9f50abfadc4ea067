"""Gold texts cut into windows, and windows put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from nlp.ner.encoding import Encoder, Words
from nlp.ner.packed import Packed, pack
from nlp.ner.training.gold import BEGIN, OUTSIDE, GoldText, allowed_tags
from nlp.ner.windows import Window, cut_windows


@dataclass(frozen=True, eq=False)
class Example:
    """One window.

    Shapes: ``token_ids`` and ``token_types`` (tokens,), special tokens included; ``positions``
    (words,) of the tokens that carry the words' tags; ``allowed`` (words, labels, 3).
    """

    token_ids: NDArray[np.int64]
    token_types: NDArray[np.int64]
    positions: NDArray[np.int64]
    allowed: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Batch:
    """Several windows.

    Shapes: ``positions`` (words,) index the packed tokens; ``rows`` and ``columns`` (words,) say
    where each word stands in ``allowed`` (rows, longest row, labels, 3); ``lengths`` (rows,).
    """

    packed: Packed
    positions: torch.Tensor
    rows: torch.Tensor
    columns: torch.Tensor
    lengths: torch.Tensor
    allowed: torch.Tensor

    def to(self, device: str) -> Batch:
        """The same on a device."""
        return Batch(
            self.packed.to(device),
            self.positions.to(device),
            self.rows.to(device),
            self.columns.to(device),
            self.lengths.to(device),
            self.allowed.to(device),
        )

    @property
    def words(self) -> int:
        """Words in all its windows."""
        return len(self.positions)


def make_examples(
    gold: Sequence[GoldText], encoder: Encoder, labels: Sequence[str]
) -> list[Example]:
    """Every window of every text that has a word in it."""
    examples = []
    for text, words in zip(gold, encoder.encode([g.text for g in gold]), strict=True):
        allowed = allowed_tags(text, words.starts, words.ends, labels)
        for window in cut_windows(len(words.token_ids), encoder.size, encoder.overlap):
            example = _example(window, words, allowed, encoder)
            if len(example.positions):
                examples.append(example)
    return examples


def _example(window: Window, words: Words, allowed: NDArray[np.bool_], encoder: Encoder) -> Example:
    first, last = np.searchsorted(words.label_tokens, [window.start, window.end])
    own = allowed[first:last].copy()
    if len(own):  # a window may begin within a mention, where no sequence may
        within = ~own[0, :, OUTSIDE] & ~own[0, :, BEGIN]
        own[0, within, BEGIN] = True
    return Example(
        encoder.with_specials(words.token_ids[window.start : window.end]),
        encoder.with_specials(words.token_types[window.start : window.end], fill=0),
        words.label_tokens[first:last] - window.start + len(encoder.start_tokens),
        own,
    )


def collate(examples: Sequence[Example]) -> Batch:
    """Put windows together."""
    packed = pack([e.token_ids for e in examples], [e.token_types for e in examples])
    counts = np.array([len(e.positions) for e in examples])
    offsets = np.concatenate([[0], np.cumsum([len(e.token_ids) for e in examples])[:-1]])
    columns = np.concatenate([np.arange(count) for count in counts])
    rows = np.repeat(np.arange(len(examples)), counts)
    allowed = np.ones((len(examples), counts.max(), *examples[0].allowed.shape[1:]), dtype=bool)
    allowed[rows, columns] = np.concatenate([e.allowed for e in examples])
    positions = np.concatenate([e.positions for e in examples]) + np.repeat(offsets, counts)
    return Batch(
        packed,
        torch.from_numpy(positions),
        torch.from_numpy(rows),
        torch.from_numpy(columns),
        torch.from_numpy(counts),
        torch.from_numpy(allowed),
    )
