"""Settings of one training of a causal language model."""

from __future__ import annotations

from dataclasses import dataclass

LORA_RATE, FULL_RATE = 2e-4, 2e-5


@dataclass(frozen=True)
class LmRecipe:
    """What, beside base and texts, decides the weights that come out.

    Attributes:
        epochs: passes over the texts.
        batch_tokens: tokens of one forward pass at most, padding included; a row at least.
        accumulation: forward passes of one step.
        rate: highest learning rate (AdamW); it rises, then falls to 0 along a cosine.
        weight_decay: AdamW's.
        warmup_share: share of the steps in which the rate rises.
        max_tokens: of a row at most; 0 = the model's context.
        patience: epochs without a lower dev perplexity before training stops and the best epoch's
            weights are kept; 0 trains to the end and keeps the last.
        lora_rank: rank of low-rank adapters (Hu et al. 2021); 0 trains all weights.
        lora_alpha: their output is scaled by alpha / rank; 0 = twice the rank.
        adapter_only: save the adapters alone, not merged into the base.
        gradient_checkpointing: compute activations twice instead of keeping them.
        seed: of adapters, order and dropout.
    """

    epochs: int = 3
    batch_tokens: int = 4096
    accumulation: int = 1
    rate: float = FULL_RATE
    weight_decay: float = 0.01
    warmup_share: float = 0.05
    max_tokens: int = 0
    patience: int = 0
    lora_rank: int = 0
    lora_alpha: float = 0.0
    adapter_only: bool = False
    gradient_checkpointing: bool = False
    seed: int = 13
