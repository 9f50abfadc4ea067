"""The compiled concept store: a folder of Parquet tables and memory-mapped index arrays.

Layout: ``release.json``; ``concepts.parquet``, ``concept_names.parquet``,
``concept_ancestors.parquet`` and ``concept_replacements.parquet`` as declared in
``ontologies/schema.py``; ``index/*.npy``. Rows of the index count concepts by ascending
``concept_id`` and names in the order of
``concept_names.parquet``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from ontologies.arrays import load_array
from ontologies.blocks import FormIndex
from ontologies.errors import OntologyError
from ontologies.exact import LEVELS, ExactIndex
from ontologies.labels import UNTYPED, is_allowed
from ontologies.nearest import GramSearch, restrict
from ontologies.ngrams import GramIndex
from ontologies.normalise import FORMS_VERSION
from ontologies.phrases import PhraseIndex
from ontologies.release import Release
from ontologies.texts import TextRows

LAYOUT_VERSION = 3
"""Raised when the layout of a store changes."""

INDEX_VERSION = f"{LAYOUT_VERSION}.{FORMS_VERSION}"
"""Layout and forms of names; a store of another version must be built again."""

STORE_KIND = "charthouse concept store"
RELEASE_FILE = "release.json"
INDEX_FOLDER = "index"
REBUILD = "build it again: charthouse ontology build --mesh desc.xml --out STORE"

# sparse_dot_topn takes no read-only arrays.
_SEARCHED = frozenset(f"grams.{field}" for field in ("posting", "form", "weighted"))

FORBIDDEN, ALLOWED_UNTYPED, ALLOWED = 0, 1, 2


@dataclass(frozen=True)
class ConceptIndex:
    """Concepts as the linker sees them: ids (bytes), flags and types as ragged rows."""

    identifier: npt.NDArray[np.bytes_]
    supplementary: npt.NDArray[np.bool_]
    type_start: npt.NDArray[np.int64]
    type_code: npt.NDArray[np.int32]


@dataclass(frozen=True)
class NameIndex:
    """Names as the linker sees them: their concept's row and what they are to it.

    ``loose`` names mean something narrower, broader or only related; ``count`` is how often a
    name was used for its concept, where extra names tell.
    """

    concept: npt.NDArray[np.int32]
    preferred: npt.NDArray[np.bool_]
    loose: npt.NDArray[np.bool_]
    count: npt.NDArray[np.int32]


@dataclass(frozen=True)
class ReplacedIndex:
    """Ids of earlier releases, sorted, and the ids that took their place (bytes)."""

    old: npt.NDArray[np.bytes_]
    new: npt.NDArray[np.bytes_]


class ConceptStore:
    """An open store. Index arrays are memory-mapped; searches per restriction are kept.

    Attributes:
        path: the store's folder.
        release: what it was built from.
        concepts, names, texts, replaced, forms, exact, grams, phrases: the index (one ``exact``
            index per level; ``texts`` are the names as the release writes them).
    """

    def __init__(self, path: Path, release: Release, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Wrap arrays already loaded; use ``open_store``."""
        self.path = path
        self.release = release
        self.concepts = ConceptIndex(**_group(arrays, "concept"))
        self.names = NameIndex(**_group(arrays, "name"))
        self.texts = TextRows(**_group(arrays, "text"))
        self.replaced = ReplacedIndex(**_group(arrays, "replaced"))
        self.forms = FormIndex(**_group(arrays, "form"))
        self.grams = GramIndex(**_group(arrays, "grams"))
        self.phrases = PhraseIndex(**_group(arrays, "phrase"))
        self.exact = [ExactIndex(**_group(arrays, f"exact-{level.name}")) for level in LEVELS]
        self._permits: dict[tuple[str, ...], npt.NDArray[np.uint8]] = {}
        self._searches: dict[tuple[str, ...], GramSearch] = {}

    @cached_property
    def uses(self) -> npt.NDArray[np.int64]:
        """How often given names were used for each concept, shape (concepts,)."""
        counted = np.flatnonzero(self.names.count)
        uses = np.zeros(len(self.concepts.identifier), dtype=np.int64)
        np.add.at(uses, self.names.concept[counted], self.names.count[counted])
        return uses

    @cached_property
    def form_of(self) -> npt.NDArray[np.int64]:
        """Row of each name's normal form, shape (names,); -1 where it is empty."""
        form_of = np.full(len(self.names.concept), -1, dtype=np.int64)
        counts = np.diff(self.forms.name_start)
        form_of[self.forms.name] = np.repeat(np.arange(len(counts)), counts)
        return form_of

    def table_path(self, table: str) -> Path:
        """The Parquet file of ``concepts``, ``concept_names`` or ``concept_ancestors``."""
        return self.path / f"{table}.parquet"

    def concept_ids(self, rows: npt.NDArray[np.integer[Any]]) -> list[str]:
        """CURIEs of concept rows."""
        return [identifier.decode() for identifier in self.concepts.identifier[rows].tolist()]

    def holds(self, concept_ids: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Whether the store has each of the CURIEs, shape (concept_ids,)."""
        known = self.concepts.identifier
        if not len(known):
            return np.zeros(len(concept_ids), dtype=np.bool_)
        asked = np.array([concept_id.encode() for concept_id in concept_ids], dtype=np.bytes_)
        rows = np.minimum(np.searchsorted(known, asked), len(known) - 1)
        return np.asarray(known[rows] == asked)

    def current_ids(self, concept_ids: Sequence[str]) -> list[str]:
        """Each CURIE, or the one that took its place."""
        old = self.replaced.old
        if not len(old):
            return list(concept_ids)
        asked = np.array([concept_id.encode() for concept_id in concept_ids], dtype=np.bytes_)
        rows = np.minimum(np.searchsorted(old, asked), len(old) - 1)
        return [
            self.replaced.new[row].decode() if found else concept_id
            for concept_id, row, found in zip(concept_ids, rows, old[rows] == asked, strict=True)
        ]

    def name_texts(self, rows: npt.NDArray[np.integer[Any]]) -> list[str]:
        """Names of name rows, as the release writes them."""
        starts = self.texts.start[rows].tolist()
        ends = self.texts.start[np.asarray(rows) + 1].tolist()
        text = self.texts.text
        return [text[start:end].tobytes().decode() for start, end in zip(starts, ends, strict=True)]

    def permits(self, types: tuple[str, ...]) -> npt.NDArray[np.uint8]:
        """For each concept: ``ALLOWED``, ``ALLOWED_UNTYPED`` or ``FORBIDDEN``.

        ``types`` are sorted prefixes of semantic type codes; none allows every concept. A concept
        without any telling type (see ``labels.UNTYPED``) is never forbidden.
        """
        if types not in self._permits:
            self._permits[types] = self._permit(types)
        return self._permits[types]

    def search(self, types: tuple[str, ...]) -> GramSearch:
        """The 3-gram search over forms that some concept allowed by ``types`` has."""
        if types not in self._searches:
            self._searches[types] = restrict(self.grams, self.allowed_forms(types))
        return self._searches[types]

    def allowed_forms(self, types: tuple[str, ...]) -> npt.NDArray[np.bool_]:
        """For each distinct form whether some concept allowed by ``types`` has it."""
        allowed = self.permits(types)[self.names.concept[self.forms.name]] != FORBIDDEN
        starts = self.forms.name_start[:-1]
        return np.asarray(np.logical_or.reduceat(allowed, starts)) if len(starts) else allowed

    def _permit(self, types: tuple[str, ...]) -> npt.NDArray[np.uint8]:
        count = len(self.concepts.identifier)
        if not types:
            return np.full(count, ALLOWED, dtype=np.uint8)
        codes = self.release.semantic_types
        wanted = np.array([is_allowed(code, types) for code in codes], dtype=np.bool_)
        telling = np.array([code not in UNTYPED for code in codes], dtype=np.bool_)
        concept = np.repeat(np.arange(count), np.diff(self.concepts.type_start))
        permit = np.full(count, ALLOWED_UNTYPED, dtype=np.uint8)
        if len(codes):
            permit[concept[telling[self.concepts.type_code]]] = FORBIDDEN
            permit[concept[wanted[self.concepts.type_code]]] = ALLOWED
        return permit


def open_store(path: Path) -> ConceptStore:
    """Open a store for linking; arrays are memory-mapped, nothing is read ahead.

    Raises:
        OntologyError: there is no store, it is of another index version, or a file is missing or
            has not the size it was written with.
    """
    document = read_manifest(path)
    if document is None:
        state = "is not a concept store" if path.exists() else "does not exist"
        raise OntologyError(f"{path}: {state}; {REBUILD}")
    version = document.get("index_version")
    if version != INDEX_VERSION:
        raise OntologyError(
            f"{path}: index version {version}, this release reads {INDEX_VERSION}; {REBUILD}"
        )
    try:
        release = Release.model_validate(document["release"])
        sizes = {str(name): int(size) for name, size in document["files"].items()}
    except (KeyError, AttributeError, TypeError, ValueError, ValidationError) as error:
        raise OntologyError(f"{path / RELEASE_FILE}: is damaged; {REBUILD}") from error
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, size in sizes.items():
        file = path / name
        if not file.is_file() or file.stat().st_size != size:
            raise OntologyError(f"{file}: is missing or damaged; {REBUILD}")
        if file.suffix == ".npy":
            arrays[file.stem] = _load(file)
    try:
        return ConceptStore(path, release, arrays)
    except TypeError as error:
        raise OntologyError(f"{path}: index files are missing; {REBUILD}") from error


def read_manifest(path: Path) -> dict[str, Any] | None:
    """Content of a store's ``release.json``; None where ``path`` is no store's folder.

    Raises:
        OntologyError: the file is there but cannot be read.
    """
    file = path / RELEASE_FILE
    if not file.is_file():
        return None
    try:
        document = json.loads(file.read_bytes())
    except ValueError as error:
        raise OntologyError(f"{file}: is damaged; remove the folder and {REBUILD}") from error
    if not isinstance(document, dict) or document.get("kind") != STORE_KIND:
        return None
    return document


def _load(file: Path) -> npt.NDArray[Any]:
    try:
        return load_array(file, writable=file.stem in _SEARCHED)
    except ValueError as error:
        raise OntologyError(f"{file}: is missing or damaged; {REBUILD}") from error


def _group(arrays: dict[str, npt.NDArray[Any]], group: str) -> dict[str, npt.NDArray[Any]]:
    prefix = group + "."
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
