"""What ends generation as a whole."""

from __future__ import annotations


class GenerationError(ValueError):
    """A prompt file or a request cannot be used; says what to do, and never holds text."""
