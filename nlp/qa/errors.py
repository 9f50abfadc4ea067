"""What ends the judging of questions as a whole."""

from __future__ import annotations


class QuestionError(ValueError):
    """A model cannot choose between options as asked; says what to do, and never holds text."""
