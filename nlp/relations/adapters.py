"""An encoder that learns relations: roles among its token types, low-rank changes of its layers.

Hu et al. 2021, "LoRA": each weight matrix W becomes W + B A, of which only B and A are learnt and
kept. A classifier is then a small file beside the encoder that it shares with the NER model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.nn.utils import parametrize
from transformers import BertModel


class LowRank(torch.nn.Module):
    """The sum of a matrix and a learnt product of two thin ones, zero in the beginning."""

    def __init__(self, weight: torch.Tensor, rank: int) -> None:
        """Make the thin matrices for a weight of shape (out, in)."""
        super().__init__()
        out, inside = weight.shape
        self.down = torch.nn.Parameter(torch.randn(rank, inside) * inside**-0.5)
        self.up = torch.nn.Parameter(torch.zeros(out, rank))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """The changed weight."""
        return weight + self.up @ self.down


def add_roles(body: BertModel, roles: int) -> int:
    """Give a BERT its token types once for each role, all beginning as they were.

    Returns:
        The number of token types it had.
    """
    old = body.embeddings.token_type_embeddings
    new = torch.nn.Embedding(old.num_embeddings * roles, old.embedding_dim)
    with torch.no_grad():
        new.weight.copy_(old.weight.repeat(roles, 1))
    body.embeddings.token_type_embeddings = new
    body.config.type_vocab_size = new.num_embeddings
    return int(old.num_embeddings)


def linear_layers(body: BertModel) -> Iterator[tuple[str, torch.nn.Linear]]:
    """The matrices of the encoder's layers, by name."""
    for name, module in body.encoder.named_modules():
        if isinstance(module, torch.nn.Linear):
            yield name, module


def add_adapters(body: BertModel, rank: int) -> None:
    """Freeze the encoder but for its token types, and let its matrices change at a low rank."""
    for parameter in body.parameters():
        parameter.requires_grad_(False)
    body.embeddings.token_type_embeddings.weight.requires_grad_(True)
    for _, layer in list(linear_layers(body)):
        parametrize.register_parametrization(layer, "weight", LowRank(layer.weight, rank))


def adapter_weights(body: BertModel) -> dict[str, torch.Tensor]:
    """What was learnt: thin matrices by layer, and the token types."""
    found = {"token_types": body.embeddings.token_type_embeddings.weight.detach()}
    for name, layer in adapted_layers(body):
        changed: Any = layer.parametrizations["weight"][0]  # type: ignore[index]
        found[f"{name}.down"] = changed.down.detach()
        found[f"{name}.up"] = changed.up.detach()
    return found


def adapted_layers(body: BertModel) -> Iterator[tuple[str, torch.nn.Module]]:
    """Layers whose matrix changes at a low rank, by name."""
    for name, module in body.encoder.named_modules():
        if parametrize.is_parametrized(module, "weight"):
            yield name, module


@torch.no_grad()
def merge(body: BertModel, weights: dict[str, torch.Tensor]) -> None:
    """Put what was learnt into an encoder as it came, token types first enlarged by roles.

    Raises:
        KeyError: a layer of the encoder is not among the weights.
    """
    body.embeddings.token_type_embeddings.weight.copy_(weights["token_types"])
    for name, layer in linear_layers(body):
        up, down = weights[f"{name}.up"].float(), weights[f"{name}.down"].float()
        layer.weight.copy_(layer.weight.float() + up @ down)
