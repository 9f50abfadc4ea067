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
from pathlib import Path

from lxml import etree

from ontologies.concept import Concept
from ontologies.errors import OntologyError
from ontologies.stream import open_stream

ATTRIBUTION = "MeSH: U.S. National Library of Medicine"
DOWNLOAD = "download it again from https://nlmpubs.nlm.nih.gov/projects/mesh/MESH_FILES/xmlmesh/"

_RECORDS = {
    "DescriptorRecordSet": "DescriptorRecord",
    "SupplementalRecordSet": "SupplementalRecord",
}
_UI = re.compile(r"[A-Z]\d+")
_CODE = re.compile(r"[A-Za-z][A-Za-z_]*:\s?[A-Za-z]{0,4}\d+|\d{4,}")


def read_mesh(path: Path) -> Iterator[Concept]:
    """Stream the records of one MeSH XML file, plain or gzip, in file order.

    Memory stays flat. Names of all concepts of a record are its names; identifiers of other
    vocabularies among them (``DOID:9351``, ``0000400``) are left out.

    ``semantic_types`` of a descriptor are the first-level branches of its tree numbers (``C14``);
    of a supplementary record ``SCR`` and its class: 1 chemical, 2 protocol, 3 disease,
    4 organism, 5 population group, 6 anatomy
    (https://www.nlm.nih.gov/mesh/intro_record_types.html).

    Raises:
        OntologyError: the file is missing, truncated, not XML, not MeSH, or holds no records or
            a record without UI or name.
    """
    tag = _RECORDS[_root(path)]
    found = 0
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
                found += 1
                yield _concept(record, tag, path)
                record.clear()
                parent = record.getparent()
                if parent is not None:
                    while record.getprevious() is not None:
                        del parent[0]
    except etree.XMLSyntaxError as error:
        raise _broken_xml(path, error) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _broken_gzip(path) from error
    if not found:
        raise OntologyError(f"{path}: holds no {tag} elements; give NLM's complete file")


def _root(path: Path) -> str:
    """Name of the root element, one of ``_RECORDS``."""
    if path.is_dir():
        raise OntologyError(f"{path}: is a folder; give the MeSH XML file itself")
    if not path.is_file():
        raise OntologyError(f"{path}: no such file; check the path given with --mesh")
    try:
        with open_stream(path) as stream:
            head = stream.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        if not head:
            raise OntologyError(f"{path}: is empty; {DOWNLOAD}")
        if head.startswith(b"pk\x03\x04"):
            raise OntologyError(f"{path}: is a zip archive; unpack it and give the XML file in it")
        if head.startswith((b"<!doctype html", b"<html")):
            raise OntologyError(f"{path}: is an HTML page, not MeSH XML; {DOWNLOAD}")
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
        raise _broken_xml(path, error) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _broken_gzip(path) from error
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise OntologyError(f"{path}: {reason}; check the file and its permissions") from error
    if root.tag not in _RECORDS:
        raise OntologyError(
            f"{path}:{_line(root)}: root element is {root.tag}, not one of"
            f" {', '.join(_RECORDS)}; give NLM's desc or supp XML file"
        )
    return str(root.tag)


def _broken_xml(path: Path, error: etree.XMLSyntaxError) -> OntologyError:
    reason = " ".join(str(error.msg).split())
    return OntologyError(f"{path}:{error.lineno or 1}: not well-formed XML ({reason}); {DOWNLOAD}")


def _broken_gzip(path: Path) -> OntologyError:
    return OntologyError(f"{path}: the gzip file is cut short or damaged; {DOWNLOAD}")


def _concept(record: etree._Element, tag: str, path: Path) -> Concept:
    kind = tag.removesuffix("Record")
    line = _line(record)
    ui = _text(record, f"{kind}{'Record' if kind == 'Supplemental' else ''}UI")
    name = _text(record, f"{kind}{'Record' if kind == 'Supplemental' else ''}Name/String")
    if not _UI.fullmatch(ui) or not name:
        raise OntologyError(f"{path}:{line}: a {tag} without UI or name; {DOWNLOAD}")
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
        synonyms=_synonyms(record, name),
        semantic_types=types,
        tree_numbers=tree_numbers,
        definition=_definition(record),
        mapped_to=_headings(record),
        is_supplementary=kind == "Supplemental",
        line=line,
    )


def _synonyms(record: etree._Element, preferred: str) -> tuple[str, ...]:
    strings = record.iterfind("ConceptList/Concept/TermList/Term/String")
    names = dict.fromkeys(_clean(node) for node in strings)
    return tuple(n for n in names if n and n != preferred and not _CODE.fullmatch(n))


def _definition(record: etree._Element) -> str | None:
    """Scope note of the preferred concept, else the note of a supplementary record."""
    for concept in record.iterfind("ConceptList/Concept"):
        if concept.get("PreferredConceptYN") == "Y" and (note := _text(concept, "ScopeNote")):
            return note
    return _text(record, "Note") or None


def _headings(record: etree._Element) -> tuple[str, ...]:
    """Descriptors a supplementary record is mapped to; ``*`` marks major topics in NLM's file."""
    path = "HeadingMappedToList/HeadingMappedTo/DescriptorReferredTo/DescriptorUI"
    uis = (_clean(node).lstrip("*") for node in record.iterfind(path))
    return tuple(f"MESH:{ui}" for ui in dict.fromkeys(uis) if _UI.fullmatch(ui))


def _line(element: etree._Element) -> int:
    line: int | None = element.sourceline  # type: ignore[assignment]
    return line or 1


def _text(element: etree._Element, path: str) -> str:
    node = element.find(path)
    return "" if node is None else _clean(node)


def _clean(node: etree._Element) -> str:
    return " ".join("".join(str(text) for text in node.itertext()).split())
