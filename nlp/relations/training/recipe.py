"""Settings of one training, and what is learnt from."""

from __future__ import annotations

from dataclasses import dataclass

from nlp.relations.text import Pair, RelationText


@dataclass(frozen=True)
class GoldRelations:
    """A text and the pairs of its concepts that annotators related."""

    text: RelationText
    related: frozenset[Pair]


@dataclass(frozen=True)
class RelationRecipe:
    """What, beside base and data, decides the weights that come out.

    Attributes:
        relation: the type that is learnt, as rows of ``relations`` name it.
        subject_label, object_label: mentions that it relates.
        epochs: passes over the training texts.
        batch_tokens: tokens of one step, as many whole texts as fit.
        rank: of the low-rank changes to the encoder's matrices (Hu et al. 2021).
        encoder_rate: highest learning rate of these changes (AdamW, linear decay to 0).
        head_rate: highest learning rate of the head.
        weight_decay: of matrices; biases and norms have none.
        warmup_share: share of the steps in which the rates rise.
        dropout: of hidden states and of the head's inputs.
        average: decay a step of the running mean of the weights, which is what is kept; 0 keeps
            the last weights.
        patience: epochs without a better dev F1 before training stops and the best epoch's weights
            are kept; 0 trains to the end and keeps the last.
        broader_share: share of the texts, drawn in each epoch, that are shown without what an
            ontology says, so that the model also works where there is none.
        seed: of initial weights, order and dropout.
    """

    relation: str = "chemical_induces_disease"
    subject_label: str = "Chemical"
    object_label: str = "Disease"
    epochs: int = 8
    batch_tokens: int = 1_024
    rank: int = 16
    encoder_rate: float = 5e-4
    head_rate: float = 5e-4
    weight_decay: float = 0.01
    warmup_share: float = 0.06
    dropout: float = 0.1
    average: float = 0.99
    patience: int = 0
    broader_share: float = 0.5
    seed: int = 13
