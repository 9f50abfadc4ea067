"""Settings of one training, and what is learnt from."""

from __future__ import annotations

from dataclasses import dataclass

from nlp.relations.text import Pair, RelationText
from nlp.training.recipe import LoopRecipe


@dataclass(frozen=True)
class GoldRelations:
    """A text and the pairs of its concepts that annotators related."""

    text: RelationText
    related: frozenset[Pair]


@dataclass(frozen=True)
class RelationRecipe(LoopRecipe):
    """What, beside base and data, decides the weights that come out.

    The encoder learns low-rank changes to its matrices alone (Hu et al. 2021). An example is a
    whole text; dropout is of the head's inputs, too.

    Attributes:
        relation: the type that is learnt, as rows of ``relations`` name it.
        subject_label, object_label: mentions that it relates.
        rank: of the changes to the encoder's matrices.
        broader_share: share of the texts, drawn in each epoch, that are shown without what an
            ontology says, so that the model also works where there is none.
    """

    batch_tokens: int = 1_024
    encoder_rate: float = 5e-4
    head_rate: float = 5e-4
    average: float = 0.99
    relation: str = "chemical_induces_disease"
    subject_label: str = "Chemical"
    object_label: str = "Disease"
    rank: int = 16
    broader_share: float = 0.5
