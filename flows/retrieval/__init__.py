"""Passages of the warehouse's own text, found by words (BM25) and by concepts."""

RETRIEVAL_VERSION = 1
"""Raised by hand when the same text, question and settings find other passages."""
