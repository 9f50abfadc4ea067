"""Completions in batches whose rows come and go.

Prompts are sorted by length, longest first, and as many are under way as a budget of tokens holds,
each counted with the room of its whole answer. A row that ends leaves at once, with its keys and
values, and waiting prompts take the places (continuous batching: Yu et al. 2022, "Orca").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import torch

from nlp.generation.cache import drop_rows, join_rows, keep_order, new_cache
from nlp.generation.codec import Codec, cut_middle
from nlp.generation.completion import LENGTH, STOP, Completion, Progress, Prompt, Sampling
from nlp.generation.errors import GenerationError
from nlp.generation.network import CausalNetwork
from nlp.generation.sampling import Row, choose_tokens
from nlp.ner.errors import DeviceError

MAX_ROWS = 256
_CPU_PREFILL, _GPU_PREFILL = 512, 16_384
"""Tokens of prompts in one forward pass, padding included: more make the device no faster."""
_WORTH = 8
"""Rows join when they are at least this part of what the batch holds: each joining copies it."""


class Decoder:
    """Completes prompts with one model and one way of choosing tokens."""

    def __init__(
        self,
        network: CausalNetwork,
        codec: Codec,
        sampling: Sampling,
        budget: int,
        most_rows: int = MAX_ROWS,
    ) -> None:
        """Take up a model.

        Args:
            network: the model.
            codec: its tokenizer.
            sampling: how tokens are chosen.
            budget: tokens in flight at most, padding and room for answers included.
            most_rows: prompts in flight at most.

        Raises:
            GenerationError: no token of a prompt would be left, or a bound makes no sense.
        """
        self._network = network
        self._codec = codec
        self._sampling = _checked(sampling)
        self._budget = budget
        self._most_rows = most_rows
        self._tried = 0
        left = network.context - sampling.max_new_tokens
        if left < 1:
            raise GenerationError(
                f"{sampling.max_new_tokens} new tokens leave no room for a prompt in a context of "
                f"{network.context}; ask for fewer"
            )
        self._limit = min(left, sampling.max_input_tokens or left)
        self._clear()

    def _clear(self) -> None:
        self._rows: list[Row] = []
        self._cache = new_cache()
        self._mask = self._network.tensor([[]])
        self._logits = torch.empty(0)

    def complete(
        self, prompts: Sequence[Prompt], progress: Progress | None = None
    ) -> list[Completion]:
        """Complete each prompt, in input order.

        Raises:
            DeviceError: the forward pass failed, for a lack of memory or a broken device.
            ModelError: the tokenizer is not the model's.
        """
        whole = [self._codec.encode_prompt(prompt) for prompt in prompts]
        self._network.check_tokens(whole)
        rows = [
            Row(place, cut_middle(tokens, self._limit), prompt.key or prompt.text)
            for place, (tokens, prompt) in enumerate(zip(whole, prompts, strict=True))
        ]
        lost = [len(tokens) - len(row.prompt) for tokens, row in zip(whole, rows, strict=True)]
        waiting = deque(sorted(rows, key=lambda row: -len(row.prompt)))
        done: dict[int, Completion] = {}
        while waiting or self._rows:
            try:
                with torch.inference_mode():
                    self._advance(waiting, done)
            except torch.cuda.OutOfMemoryError as error:
                self._retreat(waiting, error)
            except RuntimeError as error:  # known token ids cannot provoke one
                raise DeviceError("the forward pass of the language model failed") from error
            if progress:  # after each step: a long text is no sign of a model that hangs
                progress(len(done))
        self._clear()
        return [
            replace(done[row.place], truncated_tokens=n) for row, n in zip(rows, lost, strict=True)
        ]

    def _advance(self, waiting: deque[Row], done: dict[int, Completion]) -> None:
        """Let rows join, choose a token for each row, let ended ones go, and feed the rest."""
        joining = self._joining(waiting)
        self._tried = len(self._rows) + joining
        if joining:
            self._join([waiting[number] for number in range(joining)])
            for _ in range(joining):  # only now: a failure must find them waiting
                waiting.popleft()
        choose_tokens(self._logits, self._rows, self._sampling)
        kept: list[int] = []
        for number, row in enumerate(self._rows):
            if completion := self._ended(row):
                done[row.place] = completion
            else:
                kept.append(number)
        if not kept:
            self._clear()
            return
        if len(kept) < len(self._rows):
            self._keep(kept)
        self._mask = torch.nn.functional.pad(self._mask, (0, 1), value=1)
        tokens = self._network.tensor([[row.made[-1]] for row in self._rows])
        self._logits = self._network.forward(tokens, self._mask, self._cache)[:, 0]

    def _joining(self, waiting: deque[Row]) -> int:
        """How many waiting rows join now; none where that would not pay."""
        if not waiting:
            return 0
        longest = max(len(row.prompt) for row in (waiting[0], *self._rows))
        held = self._budget // (longest + self._sampling.max_new_tokens)
        held = max(1, min(held, self._most_rows))
        free = min(held - len(self._rows), len(waiting))
        if not self._rows or free * _WORTH >= min(held, len(waiting) * _WORTH):
            return max(free, 0)
        return 0

    def _join(self, rows: list[Row]) -> None:
        """Feed prompts, those of like length together, and put them beside the rows there."""
        caches, masks, logits = [], [], []
        if self._rows:
            caches, masks, logits = [self._cache], [self._mask], [self._logits]
        for group in self._groups(rows):
            cache = new_cache()
            tokens, mask = self._network.pad_left([row.prompt for row in group])
            logits.append(self._network.forward(tokens, mask, cache)[:, 0])
            caches.append(cache)
            masks.append(mask)
        columns = max(mask.shape[1] for mask in masks)
        self._cache = join_rows(caches)
        self._mask = torch.cat([_widen(mask, columns) for mask in masks])
        self._logits = torch.cat(logits)
        self._rows = [*self._rows, *rows]

    def _groups(self, rows: list[Row]) -> list[list[Row]]:
        """Rows, longest first, in groups that fill the device without much padding."""
        most = _GPU_PREFILL if self._network.device.on_cuda else _CPU_PREFILL
        groups: list[list[Row]] = []
        for row in rows:
            if groups and (len(groups[-1]) + 1) * len(groups[-1][0].prompt) <= most:
                groups[-1].append(row)
            else:
                groups.append([row])
        return groups

    def _keep(self, kept: list[int]) -> None:
        order = keep_order(kept)
        self._rows = [self._rows[number] for number in order]
        columns = max(row.length for row in self._rows) - 1  # the newest token is not fed yet
        drop_rows(self._cache, order, columns)
        self._mask = self._mask[order, -columns:]

    def _ended(self, row: Row) -> Completion | None:
        """The completion of a row whose newest token ends it."""
        sampling, codec = self._sampling, self._codec
        ended = row.made[-1] in codec.ends
        text = codec.find_stop(row.made, sampling.stop) if sampling.stop and not ended else None
        if not ended and text is None and len(row.made) < sampling.max_new_tokens:
            return None
        if text is not None:
            reason = STOP
        else:
            reason = STOP if ended else LENGTH
            text = codec.decode(row.made[:-1] if ended else row.made)
        count = len(row.made)
        return Completion(text, reason, len(row.prompt), count, 0, row.log_probability / count)

    def _retreat(self, waiting: deque[Row], error: Exception) -> None:
        """Give the memory back and begin again with half the rows."""
        if self._tried <= 1:
            raise DeviceError("not enough GPU memory for one prompt") from error
        for row in reversed(self._rows):
            row.restart()
            waiting.appendleft(row)
        self._most_rows = self._tried // 2
        self._clear()
        torch.cuda.empty_cache()


def _widen(mask: torch.Tensor, columns: int) -> torch.Tensor:
    return torch.nn.functional.pad(mask, (columns - mask.shape[1], 0), value=0)


def _checked(sampling: Sampling) -> Sampling:
    if sampling.max_new_tokens < 1:
        raise GenerationError("max_new_tokens must be at least 1")
    if sampling.temperature < 0 or not 0 < sampling.top_p <= 1 or sampling.top_k < 0:
        raise GenerationError("temperature and top_k may not be negative, top_p is within (0, 1]")
    if sampling.max_input_tokens < 0:
        raise GenerationError("max_input_tokens may not be negative")
    if sampling.repetition_penalty <= 0:
        raise GenerationError("repetition_penalty must be above 0")
    if "" in sampling.stop:
        raise GenerationError("a stop string may not be empty")
    return sampling
