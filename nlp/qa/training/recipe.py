"""Settings of one training of a question-answering head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Explanations = Literal["none", "also", "instead"]


@dataclass(frozen=True)
class QaRecipe:
    """What, beside base and questions, decides the weights that come out.

    Attributes:
        epochs: passes over the training questions.
        batch_questions: questions of one forward pass; each has a row an option.
        accumulation: forward passes of one step.
        rate: highest learning rate (AdamW, linear decay to 0).
        weight_decay: AdamW's.
        warmup_share: share of the steps in which the rate rises.
        max_tokens: of a row at most; 0 = what the model's layout allows.
        explanations: of training questions: `also` learns each question a second time with its
            explanation (PubMedQA's conclusion) as context; `instead` has it as the only context, in
            training and dev: the reasoning-free setting of Jin et al. 2019.
        focal: exponent of the focal loss (Lin et al. 2017): questions that are answered surely
            count less; 0 is cross-entropy.
        patience: epochs without a better dev accuracy before training stops and the best epoch's
            weights are kept; 0 trains to the end and keeps the last.
        lora_rank: rank of low-rank adapters, merged into the saved weights; 0 trains all.
        gradient_checkpointing: compute activations twice instead of keeping them.
        seed: of the new head, order and dropout.
    """

    epochs: int = 4
    batch_questions: int = 8
    accumulation: int = 1
    rate: float = 1e-4
    weight_decay: float = 0.01
    warmup_share: float = 0.1
    max_tokens: int = 0
    explanations: Explanations = "none"
    focal: float = 0.0
    patience: int = 0
    lora_rank: int = 0
    gradient_checkpointing: bool = False
    seed: int = 13
