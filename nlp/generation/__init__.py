"""Text made by causal language models: prompts in, completions and likelihoods out.

Only numpy, torch, transformers and tokenizers are imported here, so that the engine runs alone on
a GPU machine.
"""

GENERATION_VERSION = 1
"""Raised by hand when the same model, prompt and settings give other text."""
