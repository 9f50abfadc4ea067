"""Settings of one training run."""

from __future__ import annotations

from dataclasses import dataclass

from nlp.training.recipe import LoopRecipe


@dataclass(frozen=True)
class Recipe(LoopRecipe):
    """What, beside base and data, decides the weights that come out.

    The learnt moves between tags have five times the head's rate.

    Attributes:
        labels: the model's labels; empty takes every label that a training text annotates.
        lora_rank: rank of low-rank adapters on all linear layers (Hu et al. 2021), merged into the
            weights that are saved; 0 trains all weights.
        word_case: give a lower-casing BERT its words' case as token types.
    """

    batch_tokens: int = 3_072
    encoder_rate: float = 3e-4
    head_rate: float = 1e-3
    average: float = 0.998
    labels: tuple[str, ...] = ()
    lora_rank: int = 0
    word_case: bool = True
