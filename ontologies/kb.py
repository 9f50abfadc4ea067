"""Knowledge bases in scispaCy's form: one JSON object a line.

Format: ``Entity`` in https://github.com/allenai/scispacy/blob/main/scispacy/linking_utils.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ontologies.concept import Concept, Name
from ontologies.content import Content, ReadOptions, gather
from ontologies.errors import OntologyError
from ontologies.opening import asked_for, is_curie, none_found, open_lines, tidy

ATTRIBUTION = "scispaCy knowledge base: see the licences of its vocabularies"
HINT = "give a knowledge base with one JSON object a line, for example umls_2022_ab_cat0129.jsonl"

_CUI = re.compile(r"C\d{7}")
_MESH = re.compile(r"[CD]\d{6,9}")
_RULE = (
    "write it with its prefix, for example GO:0005634; without one, C and 7 digits is a UMLS id,"
    " else C or D and 6 to 9 digits a MeSH id"
)


def read_kb(path: Path, options: ReadOptions) -> Content:
    """Read a scispaCy knowledge base, plain or gzip, in file order.

    ``concept_id`` gets the prefix that scispaCy leaves out: of ``C`` and 7 digits ``UMLS:``, of
    ``C`` or ``D`` and 6 to 9 digits ``MESH:``; an id with a prefix stays. ``canonical_name`` is
    the preferred name, ``aliases`` the others, ``types`` the semantic types as they are
    (``T047``). Keys besides these and ``definition`` are ignored. MeSH's supplementary records
    (``C``) are marked as such.

    Raises:
        OntologyError: the file cannot be read (see ``open_lines``), is one JSON list, or holds no
            concepts; unless lenient, also for a line that is no such object.
    """
    content = gather(_concepts(path, options))
    if content.concepts.is_empty():
        raise none_found(path, options, "concepts", HINT)
    return content


def _concepts(path: Path, options: ReadOptions) -> Iterator[Concept]:
    first = True
    for line, text in open_lines(path, HINT):
        if not text.strip():
            continue
        if first and text.lstrip().startswith("["):
            raise OntologyError(f"{path}:{line}: is one JSON list; write one object a line")
        first = False
        try:
            concept = _concept(text, line)
        except json.JSONDecodeError as error:
            options.problems.report(path, line, f"not well-formed JSON ({error.msg})", HINT)
            continue
        except _WrongRecordError as error:
            options.problems.report(path, line, error.problem, error.way_out)
            continue
        if asked_for(concept.semantic_types, options):
            yield concept


class _WrongRecordError(Exception):
    def __init__(self, problem: str, way_out: str = HINT) -> None:
        super().__init__(problem)
        self.problem = problem
        self.way_out = way_out


def _concept(text: str, line: int) -> Concept:
    record = json.loads(text)
    if not isinstance(record, dict):
        raise _WrongRecordError("no JSON object")
    written = _text(record, "concept_id")
    name = _text(record, "canonical_name")
    if not written or not name:
        missing = "canonical_name" if written else "concept_id"
        raise _WrongRecordError(f"an object without {missing}")
    concept_id = _curie(written)
    return Concept(
        concept_id=concept_id,
        concept_name=name,
        names=tuple(Name(alias) for alias in _texts(record, "aliases")),
        semantic_types=_texts(record, "types"),
        definition=_text(record, "definition") or None,
        is_supplementary=concept_id.startswith("MESH:C"),
        line=line,
    )


def _curie(written: str) -> str:
    if _CUI.fullmatch(written):
        return f"UMLS:{written}"
    if _MESH.fullmatch(written):
        return f"MESH:{written}"
    if not is_curie(written):
        raise _WrongRecordError(f"nothing tells the vocabulary of the concept_id {written}", _RULE)
    return written


def _text(record: dict[str, Any], key: str) -> str:
    value = record.get(key)
    if value is not None and not isinstance(value, str):
        raise _WrongRecordError(f"{key} is no text")
    return tidy(value or "")


def _texts(record: dict[str, Any], key: str) -> tuple[str, ...]:
    values = record.get(key) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise _WrongRecordError(f"{key} is no list of texts")
    return tuple(tidied for value in values if (tidied := tidy(value)))
