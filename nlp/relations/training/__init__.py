"""Training relation classifiers on texts whose related concepts are known."""

from nlp.relations.training.loop import train
from nlp.relations.training.recipe import GoldRelations, RelationRecipe

__all__ = ["GoldRelations", "RelationRecipe", "train"]
