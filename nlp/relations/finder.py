"""What finds relations: found by name, checked and identified without loading it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from nlp.relations.text import Relation, RelationText


class RelationFinder(Protocol):
    """A loaded classifier, or a language model whose sentences are read."""

    def find(
        self, texts: Sequence[RelationText], threshold: float | None = None
    ) -> list[list[Relation]]:
        """The related pairs of each text, in input order."""
