"""Ontologies as OBO flat files: the Human Phenotype Ontology, the Disease Ontology and their like.

Format: https://owlcollab.github.io/oboformat/doc/GO.format.obo-1_4.html. What a term is and how
terms become concepts stands here for both forms of an ontology; ``ontologies/obograph.py`` reads
the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from ontologies.concept import Concept, Name
from ontologies.content import REPLACED_COLUMNS, Content, ReadOptions, gather
from ontologies.opening import asked_for, is_curie, none_found, open_lines, tidy
from ontologies.problems import Problems

ATTRIBUTION = "OBO ontology: see the licence of its makers at https://obofoundry.org"
HINT = "give an ontology's .obo file, for example from https://purl.obolibrary.org/obo/hp.obo"

RELATIONS = {"EXACT": None, "NARROW": "NRW", "BROAD": "BRD", "RELATED": "REL"}
"""Scope of a synonym to the relation of its name."""

_STANZA = re.compile(r"\[(\w+)\]")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(.*)')
_ESCAPED = re.compile(r"\\(.)")
_CONTROLS = {"n": "\n", "t": "\t", "W": " "}
_COMMENT = re.compile(r"\s+!.*")
_MODIFIERS = re.compile(r'\s*(?<!\\)\{[^{}]*="[^{}]*\}$')
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_VERSION_INFO = re.compile(r'owl:versionInfo\s+"?([^"]*)')
_REGISTRY = re.compile(r"https?://identifiers\.org/([\w.-]+)[/:](\S+)")
_IRI = re.compile(r"https?://\S*[/#]([A-Za-z][A-Za-z0-9.-]*)_([\w.-]*\d[\w.-]*)")


@dataclass
class Term:
    """One term, in the words of either form.

    Attributes:
        term_id: CURIE.
        label: name, empty if it has none.
        synonyms: text, scope and type (``layperson``), which may be empty.
        definition: text of the definition.
        parents: CURIEs of the terms it is a kind of.
        old_ids: CURIEs of terms that were merged into it.
        successors: CURIEs of the terms that replace an obsolete one.
        obsolete: no longer in use.
        line: of the file, 0 where it tells none.
    """

    term_id: str
    label: str = ""
    synonyms: list[tuple[str, str, str]] = field(default_factory=list)
    definition: str = ""
    parents: list[str] = field(default_factory=list)
    old_ids: list[str] = field(default_factory=list)
    successors: list[str] = field(default_factory=list)
    obsolete: bool = False
    line: int = 0


def read_obo(path: Path, options: ReadOptions) -> Content:
    """Read the terms of an OBO flat file, plain or gzip, in file order.

    ``concept_id`` is the term's id; an IRI is shortened as in ``to_curie``. Names are its synonyms
    with their scope as tag. The prefix of the id, written ``OBO:HP``, is the one semantic type:
    bare, ``DOID`` would begin like MeSH's tree branch ``D``. Cross references are no names.

    An obsolete term is left out, unless ``options.suppressed``, and so is a synonym of the type
    ``obsolete_synonym``. Its id is replaced where exactly one term takes its place; so are
    alternative ids, but not those of a term in use. Parents need not be in the file.

    Raises:
        OntologyError: the file cannot be read (see ``open_lines``) or holds no terms; unless
            lenient, also for a term without id or name, an id that is no CURIE, and a synonym or
            definition that is not written as the format asks.
    """
    return gather_terms(_terms(path, options.problems), path, options, HINT, _version(path))


def gather_terms(
    terms: Iterable[Term], path: Path, options: ReadOptions, hint: str, version: str | None
) -> Content:
    """Concepts and replaced ids of a stream of terms."""
    moved: list[tuple[str, str]] = []
    obsolete: set[str] = set()

    def concepts() -> Iterator[Concept]:
        for term in terms:
            if term.obsolete:
                obsolete.add(term.term_id)
                if len(set(term.successors)) == 1:
                    moved.append((term.term_id, term.successors[0]))
                if not options.suppressed:
                    continue
            concept = _concept(term, options, path, hint)
            if concept is not None:
                yield concept

    content = gather(concepts())
    if content.concepts.is_empty():
        raise none_found(path, options, "terms", hint)
    # A careless alt_id must not merge two terms that are both in use.
    in_use = content.concepts.filter(~pl.col("concept_id").is_in(list(obsolete)))
    replaced = (
        pl.concat([content.replaced, pl.DataFrame(moved, schema=REPLACED_COLUMNS, orient="row")])
        .join(in_use, left_on="old_id", right_on="concept_id", how="anti")
        .unique()
        .sort("old_id", "concept_id")
    )
    return replace(content, replaced=replaced, version=version)


def to_curie(text: str) -> str | None:
    """The CURIE of an id: one as it is, an IRI shortened, None for anything else.

    ``http://purl.obolibrary.org/obo/HP_0000118`` is ``HP:0000118``, and any other IRI that ends
    like this likewise; ``http://identifiers.org/hgnc/5`` is ``HGNC:5``.
    """
    if is_curie(text):
        return text
    if found := _REGISTRY.fullmatch(text):
        return f"{found[1].upper()}:{found[2]}"
    found = _IRI.fullmatch(text)
    return f"{found[1]}:{found[2]}" if found else None


def release_date(version: str) -> str | None:
    """The date in ``hp/releases/2026-01-01`` or the IRI of a release, else the text as it is."""
    date = _DATE.search(version)
    return date[0] if date else tidy(version) or None


def _concept(term: Term, options: ReadOptions, path: Path, hint: str) -> Concept | None:
    if not term.label:
        options.problems.report(path, term.line, f"term {term.term_id} has no name", hint)
        return None
    types = (f"OBO:{term.term_id.partition(':')[0]}",)
    if not asked_for(types, options):
        return None
    return Concept(
        concept_id=term.term_id,
        concept_name=term.label,
        names=tuple(
            Name(text, lexical_tag=scope, relation=RELATIONS[scope])
            for text, scope, kind in term.synonyms
            if text and (options.suppressed or kind != "obsolete_synonym")
        ),
        semantic_types=types,
        definition=term.definition or None,
        parents=tuple(p for p in dict.fromkeys(term.parents) if p != term.term_id),
        replaces=tuple(old for old in dict.fromkeys(term.old_ids) if old != term.term_id),
        line=term.line,
    )


def _version(path: Path) -> str | None:
    """What the header says: ``data-version``, else the version of the OWL file it is made from."""
    stated = None
    for _, text in open_lines(path, HINT):
        tag, _, value = text.partition(":")
        if _STANZA.match(text):
            break
        if tag.strip() == "data-version":
            return release_date(value)
        if tag.strip() == "property_value" and (found := _VERSION_INFO.search(value)):
            stated = release_date(found[1])
    return stated


def _terms(path: Path, problems: Problems) -> Iterator[Term]:
    """The ``[Term]`` stanzas; others (``[Typedef]``, ``[Instance]``) are passed over."""
    start, clauses = 0, list[tuple[int, str, str]]()
    for line, text in open_lines(path, HINT):
        if stanza := _STANZA.match(text):
            if start and (term := _term(start, clauses, path, problems)) is not None:
                yield term
            start, clauses = line if stanza[1] == "Term" else 0, []
        elif start and text.strip() and not text.lstrip().startswith("!"):
            tag, colon, value = text.partition(":")
            if colon:
                clauses.append((line, tag.strip(), value.strip()))
            else:
                problems.report(path, line, "no tag and value, joined by a colon", HINT)
    if start and (term := _term(start, clauses, path, problems)) is not None:
        yield term


def _term(
    start: int, clauses: list[tuple[int, str, str]], path: Path, problems: Problems
) -> Term | None:
    """The term of a stanza; None for one that is reported as a problem."""
    written = next((value for _, tag, value in clauses if tag == "id"), "")
    if not written:
        problems.report(path, start, "a [Term] without id", HINT)
        return None
    term_id = _reference(written)
    if term_id is None:
        problems.report(
            path,
            start,
            f"the id {_unescaped(written)} is no CURIE",
            "write it with its prefix, for example HP:0000118",
        )
        return None
    term = Term(term_id, line=start)
    references = {
        "is_a": term.parents,
        "alt_id": term.old_ids,
        "replaced_by": term.successors,
    }
    for line, tag, value in clauses:
        if tag == "name" and not term.label:
            term.label = tidy(_unescaped(_MODIFIERS.sub("", _COMMENT.sub("", value))))
        elif tag == "synonym":
            if (synonym := _synonym(value, line, path, problems)) is not None:
                term.synonyms.append(synonym)
        elif tag == "def" and not term.definition:
            if (quoted := _QUOTED.match(value)) is not None:
                term.definition = tidy(_unescaped(quoted[1]))
            else:
                problems.report(path, line, "a definition without quotes around it", HINT)
        elif tag == "is_obsolete":
            term.obsolete = value.split()[:1] == ["true"]
        elif tag in references and (reference := _reference(value)) is not None:
            references[tag].append(reference)
    return term


def _synonym(value: str, line: int, path: Path, problems: Problems) -> tuple[str, str, str] | None:
    """Text, scope and type of ``"text" SCOPE type [references] {modifiers} ! comment``."""
    quoted = _QUOTED.match(value)
    if quoted is None:
        problems.report(path, line, "a synonym without quotes around it", HINT)
        return None
    # The format's default; old files leave the scope out.
    words = quoted[2].partition("[")[0].split() or ["RELATED"]
    if words[0] not in RELATIONS:
        scopes = ", ".join(RELATIONS)
        problems.report(path, line, f"{words[0]} is no scope of a synonym", f"use one of {scopes}")
        return None
    return tidy(_unescaped(quoted[1])), words[0], words[1] if len(words) > 1 else ""


def _reference(value: str) -> str | None:
    """The id that a value begins with, before modifiers and comment."""
    return to_curie(_unescaped(value.split()[0])) if value else None


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: _CONTROLS.get(found[1], found[1]), text)
