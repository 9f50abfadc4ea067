"""Settings of one training run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """What, beside base and data, decides the weights that come out.

    Attributes:
        labels: the model's labels; empty takes every label that a training text annotates.
        epochs: passes over the training texts.
        batch_tokens: tokens of one step, as many whole windows as fit.
        encoder_rate: highest learning rate of the encoder (AdamW, linear decay to 0).
        head_rate: highest learning rate of the classifier; the moves' is five times it.
        weight_decay: of matrices; biases and norms have none.
        warmup_share: share of the steps in which the rates rise.
        dropout: of hidden states; attention probabilities have none.
        average: decay a step of the running mean of the weights, which is what is kept
            (Polyak averaging); 0 keeps the last weights.
        patience: epochs without a better dev F1 before training stops and the best epoch's weights
            are kept; 0 trains to the end and keeps the last.
        lora_rank: rank of low-rank adapters on all linear layers (Hu et al. 2021), merged into the
            weights that are saved; 0 trains all weights.
        word_case: give a lower-casing BERT its words' case as token types.
        seed: of initial weights, order and dropout.
    """

    labels: tuple[str, ...] = ()
    epochs: int = 8
    batch_tokens: int = 3_072
    encoder_rate: float = 3e-4
    head_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup_share: float = 0.06
    dropout: float = 0.1
    average: float = 0.998
    patience: int = 0
    lora_rank: int = 0
    word_case: bool = True
    seed: int = 13
