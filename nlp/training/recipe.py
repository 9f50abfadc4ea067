"""Settings that the recipes of our own loop share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LoopRecipe:
    """What the loop wants to know; a recipe adds what its task wants, and the defaults.

    Attributes:
        batch_tokens: tokens of one step, as many whole examples as fit.
        encoder_rate: highest learning rate of what the encoder learns (AdamW, linear decay to 0).
        head_rate: highest learning rate of the head.
        average: decay a step of the running mean of the weights, which is what is kept
            (Polyak averaging); 0 keeps the last weights.
        epochs: passes over the training texts.
        weight_decay: of matrices; biases and norms have none.
        warmup_share: share of the steps in which the rates rise.
        dropout: of hidden states; attention probabilities have none.
        patience: epochs without a better dev F1 before training stops and the best epoch's weights
            are kept; 0 trains to the end and keeps the last.
        seed: of initial weights, order and dropout.
    """

    batch_tokens: int
    encoder_rate: float
    head_rate: float
    average: float
    epochs: int = 8
    weight_decay: float = 0.01
    warmup_share: float = 0.06
    dropout: float = 0.1
    patience: int = 0
    seed: int = 13
