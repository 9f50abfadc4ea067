"""MeSH descriptors and supplementary records from NLM's XML files.

Format: https://www.nlm.nih.gov/mesh/xml_data_elements.html. The root element tells descriptors
(``desc2026.xml``) from supplementary records (``supp2026.xml``); gzip is told by its magic
number, so names do not matter.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lxml import etree

from ontologies.concept import Concept, Name
from ontologies.content import Content, ReadOptions, gather
from ontologies.errors import OntologyError
from ontologies.opening import check_file
from ontologies.problems import Problems
from ontologies.renumbered import promoted_records
from ontologies.stream import open_stream

ATTRIBUTION = "MeSH: U.S. National Library of Medicine"
DOWNLOAD = "download it again from https://nlmpubs.nlm.nih.gov/projects/mesh/MESH_FILES/xmlmesh/"

_RECORDS = {
    "DescriptorRecordSet": "DescriptorRecord",
    "SupplementalRecordSet": "SupplementalRecord",
}
_UI = re.compile(r"[A-Z]\d+")
_CODE = re.compile(r"[A-Za-z][A-Za-z_]*:\s?[A-Za-z]{0,4}\d+|\d{4,}")
_YEAR = re.compile(r"(?:desc|supp)((?:19|20)\d\d)")


def read_mesh(path: Path, options: ReadOptions) -> Content:
    """Read the records of one MeSH XML file, plain or gzip, in file order.

    The file is streamed. Names of all concepts of a record are its names, with MeSH's lexical tags
    and the relation of their concept to the record's preferred one; identifiers of other
    vocabularies among them (``DOID:9351``, ``0000400``) are left out.

    ``semantic_types`` of a descriptor are the first-level branches of its tree numbers (``C14``);
    of a supplementary record ``SCR`` and its class: 1 chemical, 2 protocol, 3 disease,
    4 organism, 5 population group, 6 anatomy
    (https://www.nlm.nih.gov/mesh/intro_record_types.html). ``replaced`` are the records known to
    have become descriptors, whatever the year: which of each pair is there, the builder sees.

    Raises:
        OntologyError: the file is missing, not XML, not MeSH, or holds no records; unless
            lenient, also for a truncated file and a record without UI or name.
    """
    tag = _RECORDS[_root(path)]
    year = _YEAR.search(path.name)
    content = gather(_records(path, tag, options.problems), version=year[1] if year else None)
    content = replace(content, replaced=promoted_records())
    if content.concepts.is_empty():
        raise OntologyError(f"{path}: holds no {tag} elements; give NLM's complete file")
    return content


def _records(path: Path, tag: str, problems: Problems) -> Iterator[Concept]:
    try:
        with open_stream(path) as stream:
            for _, record in etree.iterparse(
                stream,
                events=("end",),
                tag=tag,
                load_dtd=False,
                no_network=True,
                resolve_entities=False,
            ):
                if (concept := _concept(record, tag, path, problems)) is not None:
                    yield concept
                record.clear()
                parent = record.getparent()
                if parent is not None:
                    while record.getprevious() is not None:
                        del parent[0]
    except etree.XMLSyntaxError as error:
        problems.report(path, error.lineno or 1, _not_well_formed(error), DOWNLOAD)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        problems.report(path, None, _CUT_SHORT, DOWNLOAD)


def _root(path: Path) -> str:
    """Name of the root element, one of ``_RECORDS``."""
    check_file(path, DOWNLOAD)
    try:
        with open_stream(path) as stream:
            events = etree.iterparse(
                stream,
                events=("start",),
                load_dtd=False,
                no_network=True,
                resolve_entities=False,
            )
            _, root = next(events)
    except etree.XMLSyntaxError as error:
        raise OntologyError(
            f"{path}:{error.lineno or 1}: {_not_well_formed(error)}; {DOWNLOAD}"
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OntologyError(f"{path}: {_CUT_SHORT}; {DOWNLOAD}") from error
    if root.tag not in _RECORDS:
        raise OntologyError(
            f"{path}:{_line(root)}: root element is {root.tag}, not one of"
            f" {', '.join(_RECORDS)}; give NLM's desc or supp XML file"
        )
    return str(root.tag)


_CUT_SHORT = "the gzip file is cut short or damaged"


def _not_well_formed(error: etree.XMLSyntaxError) -> str:
    reason = " ".join(str(error.msg).split())
    return f"not well-formed XML ({reason})"


def _concept(record: etree._Element, tag: str, path: Path, problems: Problems) -> Concept | None:
    """The concept of a record; None for one that is reported as a problem."""
    kind = tag.removesuffix("Record")
    line = _line(record)
    ui = _text(record, f"{kind}{'Record' if kind == 'Supplemental' else ''}UI")
    name = _text(record, f"{kind}{'Record' if kind == 'Supplemental' else ''}Name/String")
    if not _UI.fullmatch(ui) or not name:
        problems.report(path, line, f"a {tag} without UI or name", DOWNLOAD)
        return None
    tree_numbers = tuple(
        number for node in record.iterfind("TreeNumberList/TreeNumber") if (number := _clean(node))
    )
    if kind == "Supplemental":
        types: tuple[str, ...] = (f"SCR{record.get('SCRClass') or 1}",)
    else:
        types = tuple(sorted({number.split(".", 1)[0] for number in tree_numbers}))
    return Concept(
        concept_id=f"MESH:{ui}",
        concept_name=name,
        names=tuple(_names(record)),
        semantic_types=types,
        tree_numbers=tree_numbers,
        definition=_definition(record),
        registry_numbers=_registry_numbers(record),
        actions=_references(record, "PharmacologicalActionList/PharmacologicalAction"),
        mapped_to=_references(record, "HeadingMappedToList/HeadingMappedTo"),
        is_supplementary=kind == "Supplemental",
        line=line,
    )


def _names(record: etree._Element) -> Iterator[Name]:
    """Names of the preferred concept first: of a name that stands twice the first tags count."""
    concepts = record.findall("ConceptList/Concept")
    relations = {
        _text(relation, "Concept2UI"): relation.get("RelationName")
        for relation in record.iterfind("ConceptList/Concept/ConceptRelationList/ConceptRelation")
    }
    for concept in sorted(concepts, key=lambda concept: not _is_preferred(concept)):
        own = None if _is_preferred(concept) else relations.get(_text(concept, "ConceptUI"))
        for term in concept.iterfind("TermList/Term"):
            text = _text(term, "String")
            if text and not _CODE.fullmatch(text):
                yield Name(text, lexical_tag=term.get("LexicalTag"), relation=own)


def _is_preferred(concept: etree._Element) -> bool:
    return concept.get("PreferredConceptYN") == "Y"


def _definition(record: etree._Element) -> str | None:
    """Scope note of the preferred concept, else the note of a supplementary record."""
    for concept in record.iterfind("ConceptList/Concept"):
        if _is_preferred(concept) and (note := _text(concept, "ScopeNote")):
            return note
    return _text(record, "Note") or None


def _registry_numbers(record: etree._Element) -> tuple[str, ...]:
    """Of all concepts, once each; 0 stands for none. Lists of them came with the 2022 form."""
    paths = ("RegistryNumber", "RegistryNumberList/RegistryNumber")
    found = (
        _clean(node)
        for concept in record.iterfind("ConceptList/Concept")
        for path in paths
        for node in concept.iterfind(path)
    )
    return tuple(number for number in dict.fromkeys(found) if number not in ("", "0"))


def _references(record: etree._Element, path: str) -> tuple[str, ...]:
    """Descriptors that are referred to; ``*`` marks major topics in NLM's file."""
    uis = (
        _clean(node).lstrip("*")
        for node in record.iterfind(f"{path}/DescriptorReferredTo/DescriptorUI")
    )
    return tuple(f"MESH:{ui}" for ui in dict.fromkeys(uis) if _UI.fullmatch(ui))


def _line(element: etree._Element) -> int:
    line: int | None = element.sourceline  # type: ignore[assignment]
    return line or 1


def _text(element: etree._Element, path: str) -> str:
    node = element.find(path)
    return "" if node is None else _clean(node)


def _clean(node: etree._Element) -> str:
    return " ".join("".join(str(text) for text in node.itertext()).split())
