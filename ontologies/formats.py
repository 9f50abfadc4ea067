"""The release formats a store can be built from: to add one, one file and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ontologies import kb, mesh, namelist, obo, obograph, umls
from ontologies.content import Content, ReadOptions


@dataclass(frozen=True)
class Format:
    """How one kind of release is read.

    Attributes:
        title: the ontology's name.
        attribution: the line its licence asks for.
        read: reads a source; raises ``OntologyError`` for a bad one.
        files: the files of a source that decide its content.
    """

    title: str
    attribution: str
    read: Callable[[Path, ReadOptions], Content]
    files: Callable[[Path, ReadOptions], list[Path]]


def _itself(path: Path, options: ReadOptions) -> list[Path]:
    return [path]


FORMATS: dict[str, Format] = {
    "mesh": Format("MeSH", mesh.ATTRIBUTION, mesh.read_mesh, _itself),
    "umls": Format(umls.TITLE, umls.ATTRIBUTION, umls.read_umls, umls.umls_files),
    "obo": Format("OBO", obo.ATTRIBUTION, obo.read_obo, _itself),
    "obograph": Format("OBO Graph", obo.ATTRIBUTION, obograph.read_obograph, _itself),
    "kb": Format("scispaCy knowledge base", kb.ATTRIBUTION, kb.read_kb, _itself),
    "table": Format("Concept table", namelist.ATTRIBUTION, namelist.read_namelist, _itself),
}
