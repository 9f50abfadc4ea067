"""The error of a model that cannot be used."""

from __future__ import annotations


class ModelError(ValueError):
    """A model is missing, damaged or no token classifier; the message says what to do."""
