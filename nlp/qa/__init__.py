"""Medical question answering: questions with options, and how models choose between them."""

QA_VERSION = 1
"""Raised by hand when the same model and questions give other scores."""
