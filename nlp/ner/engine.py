"""The NER engine: many texts at once through one token classifier.

Texts are tokenised whole, cut into overlapping windows, and the windows batched by a token budget
in order of length. Each token's prediction is taken from the window in which it is nearest the
centre; each word is tagged by its first token; tags are decoded by constrained Viterbi.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding

from nlp.ner.decode import Span, read_spans, tag_words
from nlp.ner.errors import DeviceError
from nlp.ner.model import LoadedModel
from nlp.ner.windows import Window, batch_windows, cut_windows

OVERLAP = 128
"""Tokens that neighbouring windows share."""


@dataclass(frozen=True)
class Words:
    """One text's tokens, and its words as ranges of them.

    Shapes: ``token_ids`` (tokens,); ``first_tokens``, ``starts`` and ``ends`` (words,), the
    latter two in characters.
    """

    token_ids: NDArray[np.int64]
    first_tokens: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


def read_words(encoding: Encoding) -> Words:
    """Group an encoding's tokens into words as the tokenizer's pre-tokenizer cut them."""
    token_ids = np.array(encoding.ids, dtype=np.int64)
    if not len(token_ids):
        empty = np.empty(0, dtype=np.int64)
        return Words(empty, empty, empty, empty)
    word_ids = np.array([-1 if w is None else w for w in encoding.word_ids], dtype=np.int64)
    offsets = np.array(encoding.offsets, dtype=np.int64)
    changes = np.flatnonzero(np.diff(word_ids)) + 1
    first = np.concatenate([[0], changes])
    last = np.concatenate([changes, [len(token_ids)]]) - 1
    return Words(token_ids, first, offsets[first, 0], offsets[last, 1])


class NerEngine:
    """A loaded token classifier that finds mentions in batches of texts."""

    def __init__(self, model: LoadedModel, *, token_budget: int | None = None) -> None:
        """Wrap a model; ``token_budget`` caps the padded tokens of one batch."""
        self.model = model
        self.token_budget = token_budget or model.device.token_budget

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """Find the mentions of each text, in input order, each list in text order.

        Texts may be of any length; empty ones have no mentions. Offsets index the text given.

        Raises:
            DeviceError: the forward pass failed, for a lack of memory or a broken device.
        """
        encodings = self.model.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        words = [read_words(encoding) for encoding in encodings]
        log_probs = self._word_log_probs(words)
        paths = tag_words(log_probs, self.model.tags)
        return [
            read_spans(text, w.starts, w.ends, path, scores, self.model.tags)
            for text, w, path, scores in zip(texts, words, paths, log_probs, strict=True)
        ]

    def _word_log_probs(self, words: Sequence[Words]) -> list[NDArray[np.float32]]:
        """Log probabilities of each text's words, each of shape (words, tags), float32."""
        specials = len(self.model.start_tokens) + len(self.model.end_tokens)
        size = self.model.context - specials
        overlap = min(OVERLAP, size // 2)
        windows = [
            window
            for index, text_words in enumerate(words)
            for window in cut_windows(len(text_words.token_ids), size, overlap, index)
        ]
        tags = len(self.model.tags)
        result = [np.zeros((len(w.first_tokens), tags), dtype=np.float32) for w in words]
        for batch in batch_windows(windows, self.token_budget, specials):
            for window, scores in zip(batch, self._forward(batch, words), strict=True):
                text_words = words[window.sequence]
                first = np.searchsorted(text_words.first_tokens, window.keep_start)
                last = np.searchsorted(text_words.first_tokens, window.keep_end)
                rows = text_words.first_tokens[first:last] - window.start
                result[window.sequence][first:last] = scores[rows]
        return result

    def _forward(
        self, batch: Sequence[Window], words: Sequence[Words]
    ) -> list[NDArray[np.float32]]:
        """Log probabilities of each window's tokens, each of shape (tokens, tags).

        A batch that does not fit in the GPU's memory is halved and tried again.
        """
        try:
            return self._forward_once(batch, words)
        except torch.cuda.OutOfMemoryError as error:
            if len(batch) == 1:
                raise DeviceError("not enough GPU memory for one window") from error
            torch.cuda.empty_cache()
        except RuntimeError as error:  # nothing in a window of known token ids can provoke one
            raise DeviceError("the forward pass failed") from error
        middle = len(batch) // 2
        return self._forward(batch[:middle], words) + self._forward(batch[middle:], words)

    def _forward_once(
        self, batch: Sequence[Window], words: Sequence[Words]
    ) -> list[NDArray[np.float32]]:
        model = self.model
        before, after = list(model.start_tokens), list(model.end_tokens)
        width = max(len(window) for window in batch) + len(before) + len(after)
        token_ids = np.full((len(batch), width), model.pad_token, dtype=np.int64)
        mask = np.zeros((len(batch), width), dtype=np.int64)
        for row, window in enumerate(batch):
            pieces = words[window.sequence].token_ids[window.start : window.end]
            filled = np.concatenate([before, pieces, after]).astype(np.int64)
            token_ids[row, : len(filled)] = filled
            mask[row, : len(filled)] = 1
        with torch.inference_mode():
            logits = model.network(
                input_ids=self._to_device(token_ids), attention_mask=self._to_device(mask)
            ).logits
            log_probs = torch.log_softmax(logits.float(), dim=-1).cpu().numpy()
        offset = len(before)
        return [log_probs[row, offset : offset + len(w)] for row, w in enumerate(batch)]

    def _to_device(self, array: NDArray[np.int64]) -> torch.Tensor:
        tensor = torch.from_numpy(array)
        if self.model.device.on_cuda:
            return tensor.pin_memory().to(self.model.device.name, non_blocking=True)
        return tensor
