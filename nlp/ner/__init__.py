"""Transformer NER in batches: texts in, mentions with exact character offsets out.

This package imports numpy, torch, transformers and tokenizers only, so that it runs alone on a
GPU machine.
"""

ENGINE_VERSION = 2
"""Raised by hand when a change of this package changes mentions."""
