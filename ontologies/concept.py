"""A concept as a release file gives it, before it is compiled into a store."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept of a release file.

    Attributes:
        concept_id: CURIE, for example ``MESH:D003920``.
        concept_name: preferred name.
        synonyms: further names, each once, without the preferred one.
        semantic_types: type codes, see ``concepts.semantic_types`` in ``ontologies/schema.py``.
        tree_numbers: MeSH tree numbers, empty where there are none.
        definition: scope note or definition, if the release has one.
        mapped_to: concepts whose tree branches this one takes over as types (MeSH headings a
            supplementary record is mapped to).
        is_supplementary: true for records outside the ontology's main vocabulary.
        line: line of the release file, for messages.
    """

    concept_id: str
    concept_name: str
    synonyms: tuple[str, ...] = ()
    semantic_types: tuple[str, ...] = ()
    tree_numbers: tuple[str, ...] = ()
    definition: str | None = None
    mapped_to: tuple[str, ...] = ()
    is_supplementary: bool = False
    line: int = 0
