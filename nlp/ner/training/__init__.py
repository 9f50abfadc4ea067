"""Training token classifiers on gold mentions, whole or in part annotated."""

from nlp.ner.errors import TrainingError
from nlp.ner.training.gold import GoldText
from nlp.ner.training.loop import train
from nlp.ner.training.recipe import Recipe
from nlp.training.progress import Progress

__all__ = ["GoldText", "Progress", "Recipe", "TrainingError", "train"]
