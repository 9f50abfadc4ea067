"""The forward pass of a causal language model over rows that are padded on the left."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from transformers import Cache

from nlp.ner.device import Device
from nlp.ner.errors import ModelError


class CausalNetwork:
    """A causal language model on its device.

    Attributes:
        network: as transformers has it, in evaluation mode.
        device: where it is, and its number format.
        context: positions it has.
        vocabulary: tokens that it knows.
    """

    def __init__(self, network: Any, device: Device, context: int) -> None:
        """Take a network that is loaded, and the number of positions it has."""
        self.network = network
        self.device = device
        self.context = context
        self.vocabulary = len(network.get_input_embeddings().weight)
        taken = inspect.signature(network.forward).parameters
        self._takes_positions = "position_ids" in taken
        self._keeps_logits = "logits_to_keep" in taken

    def check_tokens(self, rows: Iterable[Sequence[int]]) -> None:
        """See that the model knows all tokens of rows; a GPU would break down over others.

        Raises:
            ModelError: it does not.
        """
        if any(max(row, default=0) >= self.vocabulary for row in rows):
            raise ModelError(
                f"the tokenizer has tokens beyond the {self.vocabulary} that the model knows; are "
                "their files of one model?"
            )

    def forward(
        self,
        tokens: torch.Tensor,
        mask: torch.Tensor,
        cache: Cache | None = None,
        keep: int = 1,
    ) -> torch.Tensor:
        """Logits of the last ``keep`` columns, ``(rows, keep, vocabulary)``.

        Args:
            tokens: new tokens, ``(rows, new)``, whatever stands where the mask is 0.
            mask: 1 for tokens, 0 for padding, ``(rows, held + new)``.
            cache: keys and values of the columns before, extended in place.
            keep: columns whose logits are wanted.
        """
        new = tokens.shape[1]
        arguments: dict[str, Any] = {"use_cache": cache is not None, "past_key_values": cache}
        if self._takes_positions:  # padding counts for nothing
            positions = mask.cumsum(1)[:, -new:] - 1
            arguments["position_ids"] = positions.clamp(0, self.context - 1)
        if self._keeps_logits:
            arguments["logits_to_keep"] = keep
        output = self.network(input_ids=tokens, attention_mask=mask, **arguments)
        logits: torch.Tensor = output.logits[:, -keep:]
        return logits

    def tensor(self, values: Any) -> torch.Tensor:
        """Whole numbers on the model's device."""
        return torch.as_tensor(values, dtype=torch.long, device=self.device.name)

    def pad_left(self, rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows of tokens and their mask, ``(rows, longest)`` each, aligned at the last column."""
        longest = max(map(len, rows))
        tokens = [[0] * (longest - len(row)) + list(row) for row in rows]
        mask = [[0] * (longest - len(row)) + [1] * len(row) for row in rows]
        return self.tensor(tokens), self.tensor(mask)
