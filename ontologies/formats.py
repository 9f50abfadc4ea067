"""The release formats a store can be built from: to add one, one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ontologies import mesh
from ontologies.concept import Concept


@dataclass(frozen=True)
class Format:
    """How one kind of release is read.

    Attributes:
        title: the ontology's name.
        attribution: the line its licence asks for.
        read: streams the concepts of a source; raises ``OntologyError`` for a bad one.
        files: the files of a source that decide its content.
    """

    title: str
    attribution: str
    read: Callable[[Path], Iterator[Concept]]
    files: Callable[[Path], list[Path]]


def _itself(path: Path) -> list[Path]:
    return [path]


FORMATS: dict[str, Format] = {
    "mesh": Format("MeSH", mesh.ATTRIBUTION, mesh.read_mesh, _itself),
}
