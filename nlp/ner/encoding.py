"""Texts as token ids and words, in the windows a model can take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nlp.ner.chain import LabelOn
from nlp.ner.features import word_case

Ints = NDArray[np.int64]

OVERLAP = 128
"""Tokens that neighbouring windows of a long text share, where the context allows."""


class Encoding(Protocol):
    """What the engine reads of a tokenizer's output for one text."""

    @property
    def ids(self) -> list[int]:
        """Token ids."""

    @property
    def word_ids(self) -> list[int | None]:
        """The number of each token's word."""

    @property
    def offsets(self) -> list[tuple[int, int]]:
        """Each token's start and end in characters."""

    @property
    def special_tokens_mask(self) -> list[int]:
        """1 for tokens that were put around the text."""


class FastTokenizer(Protocol):
    """A tokenizer that knows where in the text its tokens stand."""

    def encode(self, sequence: Any, *, add_special_tokens: bool = ...) -> Encoding:
        """Encode one text, whole."""

    def encode_batch(
        self, input: Sequence[Any], *, add_special_tokens: bool = ...
    ) -> Sequence[Encoding]:
        """Encode texts, whole."""


@dataclass(frozen=True, eq=False)
class Words:
    """One text's tokens, and its words as ranges of them.

    Shapes: ``token_ids`` and ``token_types`` (tokens,); ``label_tokens`` (words,), the token that
    carries the word's tag; ``starts`` and ``ends`` (words,), in characters.
    """

    token_ids: Ints
    token_types: Ints
    label_tokens: Ints
    starts: Ints
    ends: Ints


@dataclass(frozen=True, eq=False)
class Encoder:
    """A tokenizer with what a model needs around it.

    ``context`` is the longest window in tokens, special tokens included.
    """

    tokenizer: FastTokenizer
    start_tokens: tuple[int, ...]
    end_tokens: tuple[int, ...]
    context: int
    word_case: bool = False
    label_on: LabelOn = "first"

    @property
    def size(self) -> int:
        """Tokens of a text that fit into one window."""
        return self.context - len(self.start_tokens) - len(self.end_tokens)

    @property
    def overlap(self) -> int:
        """Tokens that neighbouring windows share."""
        return min(OVERLAP, self.size // 2)

    @property
    def specials(self) -> int:
        """Special tokens of one window."""
        return len(self.start_tokens) + len(self.end_tokens)

    def encode(self, texts: Sequence[str]) -> list[Words]:
        """Each text whole, whatever its length; words are as the pre-tokenizer cut them."""
        encodings = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [self._words(t, e) for t, e in zip(texts, encodings, strict=True)]

    def with_specials(self, tokens: Ints, fill: int | None = None) -> Ints:
        """The tokens between the special ones, or between as many times ``fill``."""
        before, after = self.start_tokens, self.end_tokens
        if fill is not None:
            before, after = (fill,) * len(before), (fill,) * len(after)
        with_specials: Ints = np.concatenate([before, tokens, after]).astype(np.int64)
        return with_specials

    def _words(self, text: str, encoding: Encoding) -> Words:
        token_ids = np.array(encoding.ids, dtype=np.int64)
        if not len(token_ids):
            empty = np.empty(0, dtype=np.int64)
            return Words(empty, empty, empty, empty, empty)
        word_ids = np.array([-1 if w is None else w for w in encoding.word_ids], dtype=np.int64)
        offsets = np.array(encoding.offsets, dtype=np.int64)
        changes = np.flatnonzero(np.diff(word_ids)) + 1
        first = np.concatenate([[0], changes])
        last = np.concatenate([changes, [len(token_ids)]]) - 1
        starts, ends = offsets[first, 0], offsets[last, 1]
        if self.word_case:
            token_types = np.repeat(word_case(text, starts, ends), last - first + 1)
        else:
            token_types = np.zeros(len(token_ids), dtype=np.int64)
        label_tokens = last if self.label_on == "last" else first
        return Words(token_ids, token_types, label_tokens, starts, ends)
