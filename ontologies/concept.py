"""A concept as a release file gives it, before it is compiled into a store."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Name:
    """One name of a concept.

    Attributes:
        text: the name as the release writes it.
        lexical_tag: what kind of name it is, in the release's own codes: MeSH's lexical tags
            (``NON``, ``ABB``, ``ACR``, ``TRD`` ...), a UMLS term type (``PT``, ``SY`` ...), an OBO
            scope (``EXACT``, ``NARROW`` ...).
        relation: how the name's own sub-concept stands to the concept, where a release tells:
            ``NRW`` narrower, ``BRD`` broader, ``REL`` related. None for a plain synonym.
        vocabulary: the source vocabulary of the name, where a release unites several.
    """

    text: str
    lexical_tag: str | None = None
    relation: str | None = None
    vocabulary: str | None = None


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept of a release file.

    Attributes:
        concept_id: CURIE, for example ``MESH:D003920``.
        concept_name: preferred name.
        names: its names; one that equals ``concept_name`` only tells that name's tags.
        semantic_types: type codes, see ``concepts.semantic_types`` in ``ontologies/schema.py``.
        tree_numbers: MeSH tree numbers, empty where there are none.
        definition: scope note or definition, if the release has one.
        registry_numbers: CAS, EC, UNII and like numbers.
        actions: concepts that are this one's pharmacological actions.
        mapped_to: concepts whose tree branches this one takes over as types (MeSH headings a
            supplementary record is mapped to).
        parents: concepts this one is a kind of, where the release states them.
        replaces: earlier ids of this concept.
        is_supplementary: true for records outside the ontology's main vocabulary.
        line: line of the release file, for messages.
    """

    concept_id: str
    concept_name: str
    names: tuple[Name, ...] = ()
    semantic_types: tuple[str, ...] = ()
    tree_numbers: tuple[str, ...] = ()
    definition: str | None = None
    registry_numbers: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    mapped_to: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    is_supplementary: bool = False
    line: int = 0
