"""Training causal language models: the next token of texts, and completions of prompts."""

from nlp.generation.training.lesson import Lesson
from nlp.generation.training.loop import Preview, preview, train
from nlp.generation.training.recipe import LmRecipe

__all__ = ["Lesson", "LmRecipe", "Preview", "preview", "train"]
