"""Training heads that choose between options."""

from nlp.qa.training.loop import score_head, train
from nlp.qa.training.recipe import QaRecipe

__all__ = ["QaRecipe", "score_head", "train"]
