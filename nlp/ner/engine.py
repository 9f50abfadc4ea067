"""The NER engine: many texts at once through one token classifier.

Texts are tokenised whole, cut into overlapping windows, and the windows batched by a token budget
in order of length. Each token's prediction is taken from the window in which it is nearest the
centre, each word's from one of its tokens, and the tags are decoded as linear chains.

What a text yields does not depend on its neighbours. Plain BERT runs without padding, and its
matrix products always have at least ``LEAST_ROWS`` rows: below, libraries choose kernels by the
number of rows, which round differently.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from nlp.ner.decode import Span, find_spans
from nlp.ner.encoding import Encoder, Words
from nlp.ner.errors import DeviceError
from nlp.ner.model import LoadedModel
from nlp.ner.packed import PackedClassifier, can_pack, pack
from nlp.ner.windows import Window, batch_windows, cut_windows

Floats = NDArray[np.float32]


class NerEngine:
    """A loaded token classifier that finds mentions in batches of texts."""

    def __init__(
        self, model: LoadedModel, *, token_budget: int | None = None, packed: bool = True
    ) -> None:
        """Wrap a model.

        Args:
            model: the classifier on its device.
            token_budget: tokens of one batch at most, padding included; the device's where None.
            packed: leave padding out where the network allows it.
        """
        self.model = model
        self.token_budget = token_budget or model.device.token_budget
        fits = packed and can_pack(model.network)
        self._packed = PackedClassifier(model.network) if fits else None

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """Find the mentions of each text, in input order, each list in text order.

        Texts may be of any length; empty ones have no mentions. Offsets index the text given.

        Raises:
            DeviceError: the forward pass failed, for a lack of memory or a broken device.
        """
        words = self.model.encoder.encode(texts)
        return find_spans(
            texts,
            [w.starts for w in words],
            [w.ends for w in words],
            self.word_logits(words),
            self.model.decoder,
        )

    def word_logits(self, words: Sequence[Words]) -> list[Floats]:
        """Logits of each text's words, each of shape (words, logits), float32."""
        windows = cut_texts(words, self.model.encoder)
        result: list[Floats] = [np.empty((0, 0), dtype=np.float32)] * len(words)
        batches = batch_windows(
            windows, self.token_budget, self.model.encoder.specials, padded=self._packed is None
        )
        for batch in batches:
            for window, logits in zip(batch, self._forward(batch, words), strict=True):
                text_words = words[window.sequence]
                if not len(result[window.sequence]):
                    shape = (len(text_words.label_tokens), logits.shape[1])
                    result[window.sequence] = np.zeros(shape, dtype=np.float32)
                first, last = _kept_words(text_words, window)
                result[window.sequence][first:last] = logits
        return result

    def _forward(self, batch: Sequence[Window], words: Sequence[Words]) -> list[Floats]:
        """Logits of each window's kept words, each of shape (words, logits).

        A batch that does not fit in the GPU's memory is halved and tried again.
        """
        try:
            with torch.inference_mode():
                run = self._run_packed if self._packed else self._run_padded
                logits = run(batch, words).float().cpu().numpy()
        except torch.cuda.OutOfMemoryError as error:
            if len(batch) == 1:
                raise DeviceError("not enough GPU memory for one window") from error
            torch.cuda.empty_cache()
        except RuntimeError as error:  # nothing in a window of known token ids can provoke one
            raise DeviceError("the forward pass failed") from error
        else:
            ends = np.cumsum([last - first for first, last in _all_kept(batch, words)])
            return np.split(logits, ends[:-1])
        middle = len(batch) // 2
        return self._forward(batch[:middle], words) + self._forward(batch[middle:], words)

    def _run_packed(self, batch: Sequence[Window], words: Sequence[Words]) -> torch.Tensor:
        """Logits of all kept words of the batch, shape (kept words, logits)."""
        encoder = self.model.encoder
        before = len(encoder.start_tokens)
        token_ids, token_types, rows = [], [], []
        offset = 0
        for window, (first, last) in zip(batch, _all_kept(batch, words), strict=True):
            of = words[window.sequence]
            token_ids.append(encoder.with_specials(of.token_ids[window.start : window.end]))
            types = of.token_types[window.start : window.end]
            token_types.append(encoder.with_specials(types, fill=0))
            rows.append(of.label_tokens[first:last] - window.start + before + offset)
            offset += len(token_ids[-1])
        assert self._packed is not None
        packed = pack(token_ids, token_types)
        chosen = torch.from_numpy(np.concatenate(rows))
        if self.model.device.on_cuda:
            packed, chosen = packed.pin(), chosen.pin_memory()
        packed, chosen = packed.to(self.model.device.name), self._to_device(chosen)
        return self._packed.logits(packed, chosen)

    def _run_padded(self, batch: Sequence[Window], words: Sequence[Words]) -> torch.Tensor:
        """The same through the network's own forward pass, for what is not plain BERT."""
        encoder = self.model.encoder
        before = len(encoder.start_tokens)
        width = max(len(window) for window in batch) + encoder.specials
        token_ids = np.full((len(batch), width), self.model.pad_token, dtype=np.int64)
        token_types = np.zeros_like(token_ids)
        mask = np.zeros_like(token_ids)
        rows = []
        for row, (window, kept) in enumerate(zip(batch, _all_kept(batch, words), strict=True)):
            of = words[window.sequence]
            filled = encoder.with_specials(of.token_ids[window.start : window.end])
            token_ids[row, : len(filled)] = filled
            types = of.token_types[window.start : window.end]
            token_types[row, : len(filled)] = encoder.with_specials(types, fill=0)
            mask[row, : len(filled)] = 1
            rows.append(of.label_tokens[slice(*kept)] - window.start + before + row * width)
        inputs = {"input_ids": token_ids, "attention_mask": mask}
        if encoder.word_case:
            inputs["token_type_ids"] = token_types
        logits: torch.Tensor = self.model.network(
            **{
                name: self._to_device(self._pinned(torch.from_numpy(array)))
                for name, array in inputs.items()
            }
        ).logits
        return logits.flatten(0, 1)[self._to_device(torch.from_numpy(np.concatenate(rows)))]

    def _pinned(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.pin_memory() if self.model.device.on_cuda else tensor

    def _to_device(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(self.model.device.name, non_blocking=True)


def cut_texts(words: Sequence[Words], encoder: Encoder) -> list[Window]:
    """The windows of all texts, each numbered by its text."""
    causal = encoder.label_on == "last"
    return [
        window
        for index, text in enumerate(words)
        for window in cut_windows(
            len(text.token_ids), encoder.size, encoder.overlap, index, causal=causal
        )
    ]


def _all_kept(batch: Sequence[Window], words: Sequence[Words]) -> list[tuple[int, int]]:
    return [_kept_words(words[window.sequence], window) for window in batch]


def _kept_words(words: Words, window: Window) -> tuple[int, int]:
    """Words of the text, from and to, whose tags are taken from the window."""
    first, last = np.searchsorted(words.label_tokens, [window.keep_start, window.keep_end])
    return int(first), int(last)
