"""Documents with the mentions that annotators marked, for evaluation and training."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GoldMention:
    """One marked mention; ``document.text[start_char:end_char]`` is the span.

    ``mention_text`` is what the gold file itself says; ``concept_ids`` are CURIEs
    (``MESH:D003920``), empty where the annotators found no concept.
    """

    start_char: int
    end_char: int
    mention_text: str
    label: str
    concept_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GoldDocument:
    """A text and its gold mentions in the file's order."""

    native_id: str
    text: str
    mentions: tuple[GoldMention, ...]
