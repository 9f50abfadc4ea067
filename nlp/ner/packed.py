"""BERT's forward pass over tokens without padding: sequences laid end to end.

Every layer but attention works on single tokens, so a batch is one long row of them; attention
runs sequence by sequence. No padding is computed, and no mask keeps attention off its fast path.
The parameters are those of a transformers model, which stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from transformers import BertForTokenClassification, BertModel, PreTrainedModel


@dataclass(frozen=True)
class Packed:
    """Sequences end to end.

    Shapes: ``token_ids``, ``token_types`` and ``positions`` (tokens,); ``lengths`` sums to tokens.
    """

    token_ids: torch.Tensor
    token_types: torch.Tensor
    positions: torch.Tensor
    lengths: list[int]

    def to(self, device: str) -> Packed:
        """The same on a device; from pinned memory without waiting."""
        return self._with(lambda tensor: tensor.to(device, non_blocking=True))

    def pin(self) -> Packed:
        """The same in pinned memory."""
        return self._with(torch.Tensor.pin_memory)

    def _with(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Packed:
        return Packed(
            change(self.token_ids), change(self.token_types), change(self.positions), self.lengths
        )


def pack(token_ids: list[NDArray[np.int64]], token_types: list[NDArray[np.int64]]) -> Packed:
    """Lay sequences end to end, positions counted from 0 in each."""
    lengths = [len(sequence) for sequence in token_ids]
    return Packed(
        torch.from_numpy(np.concatenate(token_ids)),
        torch.from_numpy(np.concatenate(token_types)),
        torch.from_numpy(np.concatenate([np.arange(length) for length in lengths])),
        lengths,
    )


def can_pack(network: torch.nn.Module) -> bool:
    """Whether this module computes the network's forward pass exactly: plain BERT."""
    return isinstance(network, BertForTokenClassification) and is_plain(network)


def is_plain(network: PreTrainedModel) -> bool:
    """Whether the body of a BERT network is the plain one."""
    return bool(
        network.config.hidden_act == "gelu"
        and not network.config.is_decoder
        and getattr(network.config, "position_embedding_type", "absolute") == "absolute"
    )


def training_hidden(body: BertModel, batch: Packed, dropout: float) -> torch.Tensor:
    """Last hidden states for training, shape (tokens, width); differentiable.

    Attention is spelled out: on a CPU the backward pass of the fused kernel takes twice as long as
    the matrix products themselves. Attention probabilities are not dropped out.
    """
    embeddings = body.embeddings
    heads = body.config.num_attention_heads

    def drop(x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x, dropout, training=True) if dropout else x

    x = (
        embeddings.word_embeddings(batch.token_ids)
        + embeddings.position_embeddings(batch.positions)
        + embeddings.token_type_embeddings(batch.token_types)
    )
    x = drop(embeddings.LayerNorm(x))
    width = body.config.hidden_size
    for layer in _layers(body):
        attention = layer.attention
        projections = (attention.self.query, attention.self.key, attention.self.value)
        weight = torch.cat([p.weight for p in projections])
        bias = torch.cat([p.bias for p in projections])
        states = functional.linear(x, weight, bias).view(-1, 3, heads, width // heads)
        context = torch.cat([_attend(s, x.is_cuda) for s in torch.split(states, batch.lengths)])
        x = attention.output.LayerNorm(x + drop(attention.output.dense(context)))
        inner = functional.gelu(layer.intermediate.dense(x))
        x = layer.output.LayerNorm(x + drop(layer.output.dense(inner)))
    hidden: torch.Tensor = x
    return hidden


def _layers(body: BertModel) -> list[Any]:
    return list(body.encoder.layer)  # modules made by transformers: no types to hold on to


def _attend(states: torch.Tensor, fused: bool) -> torch.Tensor:
    """Attention within one sequence: (tokens, 3, heads, head width) to (tokens, width)."""
    query, key, value = states.permute(1, 2, 0, 3).unbind(0)
    if fused:
        context = functional.scaled_dot_product_attention(query, key, value)
    else:
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(1, 2)
        context = torch.softmax(scores, dim=-1) @ value
    return context.transpose(0, 1).flatten(1)


LEAST_ROWS = 512
"""Rows of every matrix product at least: with fewer, kernels are chosen that round differently."""


class PackedBody:
    """A plain BERT's forward pass for inference."""

    def __init__(self, body: BertModel) -> None:
        """Join each layer's query, key and value projections into one."""
        self._body = body
        self._joined = []
        self._layers = _layers(body)
        for layer in self._layers:
            own = layer.attention.self
            projections = (own.query, own.key, own.value)
            weight = torch.cat([p.weight.detach() for p in projections])
            bias = torch.cat([p.bias.detach() for p in projections])
            self._joined.append((weight, bias))

    def hidden(self, batch: Packed, rows: torch.Tensor) -> torch.Tensor:
        """Last hidden states of chosen tokens, shape (rows or more, width): zeros fill it up.

        Run it in inference mode.

        Args:
            batch: the windows, on the network's device.
            rows: positions of the tokens among the packed ones, shape (rows,).
        """
        embeddings = self._body.embeddings
        heads = self._body.config.num_attention_heads
        count = len(batch.token_ids)
        x = (
            embeddings.word_embeddings(batch.token_ids)
            + embeddings.position_embeddings(batch.positions)
            + embeddings.token_type_embeddings(batch.token_types)
        )
        x = _filled(embeddings.LayerNorm(x))
        width = x.shape[1]
        attend = choose_attention(batch, x)
        last = len(self._joined) - 1
        for index, (layer, (weight, bias)) in enumerate(
            zip(self._layers, self._joined, strict=True)
        ):
            states = functional.linear(x, weight, bias)[:count].view(-1, 3, heads, width // heads)
            context = attend(states)
            if index == last:  # nobody looks at the other tokens any more
                x, context = x[rows], context[rows]
            x = _filled(x)
            output = layer.attention.output
            x = output.LayerNorm(x + output.dense(_filled(context)))
            inner = functional.gelu(layer.intermediate.dense(x))
            x = layer.output.LayerNorm(x + layer.output.dense(inner))
        hidden: torch.Tensor = x
        return hidden


class PackedClassifier:
    """A BERT token classifier's forward pass for inference."""

    def __init__(self, network: torch.nn.Module) -> None:
        """Take a network that can be packed."""
        assert isinstance(network, BertForTokenClassification)
        self._body = PackedBody(network.bert)
        self._classifier = network.classifier

    def logits(self, batch: Packed, rows: torch.Tensor) -> torch.Tensor:
        """Logits of chosen tokens, shape (rows, logits); run it in inference mode.

        Args:
            batch: the windows, on the network's device.
            rows: positions of the tokens among the packed ones, shape (rows,).
        """
        logits: torch.Tensor = self._classifier(self._body.hidden(batch, rows))[: len(rows)]
        return logits


def _filled(x: torch.Tensor) -> torch.Tensor:
    """The rows, and zeros behind them up to ``LEAST_ROWS``."""
    missing = LEAST_ROWS - len(x)
    return functional.pad(x, (0, 0, 0, missing)) if missing > 0 else x


Attention = Callable[[torch.Tensor], torch.Tensor]


def choose_attention(batch: Packed, like: torch.Tensor) -> Attention:
    """Attention from (tokens, 3, heads, head width) to (tokens, width), sequence by sequence.

    On a CPU each sequence has a call of the fused kernel, whose result then depends on that
    sequence alone. On CUDA one call of the variable-length kernel serves all of them.
    """
    if like.is_cuda and like.dtype == torch.bfloat16:
        return _variable_length(batch)

    def one_by_one(states: torch.Tensor) -> torch.Tensor:
        out = states.new_empty(len(states), states.shape[2] * states.shape[3])
        start = 0
        for length in batch.lengths:
            part = states[start : start + length].permute(1, 2, 0, 3)[None]
            query, key, value = part.unbind(1)
            context = functional.scaled_dot_product_attention(query, key, value)
            out[start : start + length] = context[0].transpose(0, 1).flatten(1)
            start += length
        return out

    return one_by_one


def _variable_length(batch: Packed) -> Attention:
    from torch.nn.attention.varlen import varlen_attn

    device = batch.token_ids.device
    ends = torch.tensor([0, *batch.lengths], dtype=torch.int32, device=device)
    bounds = ends.cumsum(0, dtype=torch.int32)
    longest = max(batch.lengths)

    def together(states: torch.Tensor) -> torch.Tensor:
        query, key, value = (part.contiguous() for part in states.unbind(1))
        context = varlen_attn(query, key, value, bounds, bounds, longest, longest)
        assert isinstance(context, torch.Tensor)  # a pair only where its inner sums are asked for
        return context.flatten(1)

    return together
