"""How much memory of a GPU a training takes, computed from shapes alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from nlp.generation.training.recipe import LmRecipe
from nlp.training.adapters import add_adapters

_BF16, _FP32 = 2, 4
_ADAM = 2 * _FP32
_LAYER_VALUES = 17
"""Values of the hidden size that a layer keeps for each token: inputs of two norms, queries, keys,
values, what attention gives, four widths before and after the activation function, and dropout
(Korthikanti et al. 2022, https://arxiv.org/abs/2205.05198, count 34 bytes at 2 bytes a value)."""


@dataclass(frozen=True)
class Memory:
    """Bytes by what they are for, and numbers of parameters."""

    parameters: int
    trained: int
    weights: int
    training: int
    activations: int
    logits: int

    @property
    def total(self) -> int:
        """All of it. CUDA itself, and fragments, take some hundred megabytes more."""
        return self.weights + self.training + self.activations + self.logits


def estimate(config: Any, recipe: LmRecipe, tokens: int, longest: int) -> Memory:
    """Memory of a training in bf16 on a GPU.

    Args:
        config: the base's.
        recipe: settings.
        tokens: of the largest forward pass, padding included.
        longest: tokens of its rows.
    """
    with torch.device("meta"):  # shapes without values
        build: Any = AutoModelForCausalLM.from_config
        network = build(config)
        parameters = sum(p.numel() for p in network.parameters())
        if recipe.lora_rank:
            network = add_adapters(
                network, rank=recipe.lora_rank, alpha=0, dropout=0.0, targets=(), task="CAUSAL_LM"
            )
    trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    layers, width = config.num_hidden_layers, config.hidden_size
    layer = _LAYER_VALUES * tokens * width * _BF16
    if recipe.gradient_checkpointing:
        kept = layers * tokens * width * _BF16 + layer
    else:
        kept = layers * layer
    frozen = parameters * _BF16 if recipe.lora_rank else 0
    return Memory(
        parameters,
        trained,
        frozen + trained * _FP32,
        trained * (_FP32 + _ADAM),
        kept,
        tokens * config.vocab_size * (_BF16 + 3 * _FP32),
    )
