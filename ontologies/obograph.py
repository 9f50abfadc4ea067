"""Ontologies as OBO Graph JSON, the form that ``hp.json`` and ``doid.json`` have.

Format: https://github.com/geneontology/obographs. An ontology gives the same concepts as in its
OBO flat file (``ontologies/obo.py``), only that JSON tells no lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ontologies.content import Content, ReadOptions
from ontologies.errors import OntologyError
from ontologies.obo import Term, gather_terms, release_date, to_curie
from ontologies.opening import open_lines, tidy
from ontologies.problems import Problems

HINT = "give an ontology's OBO Graph file, for example https://purl.obolibrary.org/obo/hp.json"

_SCOPES = {
    "hasExactSynonym": "EXACT",
    "hasNarrowSynonym": "NARROW",
    "hasBroadSynonym": "BROAD",
    "hasRelatedSynonym": "RELATED",
}
_OLD_ID = "http://www.geneontology.org/formats/oboInOwl#hasAlternativeId"
_SUCCESSOR = "http://purl.obolibrary.org/obo/IAO_0100001"
_DEPRECATED = "http://www.w3.org/2002/07/owl#deprecated"
_VERSION = "http://www.w3.org/2002/07/owl#versionInfo"
_LANGUAGE = ("http://www.w3.org/", "http://www.geneontology.org/formats/")
"""Where the IRIs of OWL's and OBO's own words begin: ``owl#Thing`` is no term."""


def read_obograph(path: Path, options: ReadOptions) -> Content:
    """Read the classes of an OBO Graph, plain or gzip, in file order.

    IRIs are shortened to CURIEs (see ``obo.to_curie``); for all else see ``obo.read_obo``. Classes
    without a label are only mentioned in the ontology, not part of it, and passed over. The whole
    file is held in memory.

    Raises:
        OntologyError: the file cannot be read (see ``open_lines``), is not JSON, no OBO Graph, or
            holds no terms; unless lenient, also for a class whose IRI gives no CURIE and a synonym
            of unknown scope.
    """
    graphs = _graphs(path)
    version = next(filter(None, (_version_of(graph) for graph in graphs)), None)
    return gather_terms(_terms(graphs, path, options.problems), path, options, HINT, version)


def _graphs(path: Path) -> list[dict[str, Any]]:
    text = "\n".join(text for _, text in open_lines(path, HINT))
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise OntologyError(
            f"{path}:{error.lineno}: not well-formed JSON ({error.msg}); {HINT}"
        ) from error
    graphs = _dicts(document.get("graphs")) if isinstance(document, dict) else []
    if not graphs:
        raise OntologyError(f"{path}: has no list of graphs, so it is no OBO Graph; {HINT}")
    return graphs


def _version_of(graph: dict[str, Any]) -> str | None:
    meta = _dict(graph.get("meta"))
    stated = _text(meta.get("version")) or next(iter(_values(meta, _VERSION)), "")
    return release_date(stated)


def _terms(graphs: list[dict[str, Any]], path: Path, problems: Problems) -> Iterator[Term]:
    parents: dict[str, list[str]] = {}
    for graph in graphs:
        for edge in _dicts(graph.get("edges")):
            if edge.get("pred") == "is_a":
                parents.setdefault(_text(edge.get("sub")), []).append(_text(edge.get("obj")))
    for graph in graphs:
        for node in _dicts(graph.get("nodes")):
            iri = _text(node.get("id"))
            if node.get("type") == "CLASS" and not iri.startswith(_LANGUAGE):
                term = _term(iri, node, parents.get(iri, []), path, problems)
                if term is not None:
                    yield term


def _term(
    iri: str, node: dict[str, Any], parents: list[str], path: Path, problems: Problems
) -> Term | None:
    meta = _dict(node.get("meta"))
    label = _text(node.get("lbl"))
    obsolete = meta.get("deprecated") is True or "true" in _values(meta, _DEPRECATED)
    if not label and not obsolete:
        return None
    term_id = to_curie(iri)
    if term_id is None:
        if not obsolete:
            problems.report(
                path,
                None,
                f"the class {iri or label} has no id like http://purl.obolibrary.org/obo/HP_0000118",
                HINT,
            )
        return None
    return Term(
        term_id,
        label=label,
        synonyms=list(_synonyms(term_id, meta, path, problems)),
        definition=_text(_dict(meta.get("definition")).get("val")),
        parents=_curies(parents),
        old_ids=_curies(_values(meta, _OLD_ID)),
        successors=_curies(_values(meta, _SUCCESSOR)),
        obsolete=obsolete,
    )


def _synonyms(
    term_id: str, meta: dict[str, Any], path: Path, problems: Problems
) -> Iterator[tuple[str, str, str]]:
    for synonym in _dicts(meta.get("synonyms")):
        # Older files write the predicate as an IRI.
        predicate = _text(synonym.get("pred")).rpartition("#")[2]
        if predicate in _SCOPES:
            kind = _text(synonym.get("synonymType")).rpartition("#")[2]
            yield _text(synonym.get("val")), _SCOPES[predicate], kind
        else:
            problems.report(
                path,
                None,
                f"term {term_id} has a synonym with the predicate {predicate or 'none'}",
                f"use one of {', '.join(_SCOPES)}",
            )


def _values(meta: dict[str, Any], predicate: str) -> list[str]:
    properties = _dicts(meta.get("basicPropertyValues"))
    return [_text(p.get("val")) for p in properties if p.get("pred") == predicate]


def _curies(ids: list[str]) -> list[str]:
    return [curie for curie in map(to_curie, ids) if curie is not None]


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return tidy(value) if isinstance(value, str) else ""
