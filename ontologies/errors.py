"""The one error this room raises for input it cannot use."""

from __future__ import annotations


class OntologyError(ValueError):
    """A release file or concept store cannot be used.

    The message is one line: the file (and line, where there is one), what is wrong, the way out.
    """
