"""Names linked by the very code that a run links with, and looked up again one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import polars as pl

from flows.bundled import store_folder
from flows.errors import CharthouseError
from flows.progress import Reporter
from nlp.context import AROUND, METHOD, choose_in_context
from nlp.schema import MENTIONS
from ontologies.errors import OntologyError
from ontologies.linker import LinkSettings, link_names
from ontologies.meaning import require_vectors
from ontologies.schema import LINKED, NAME_LINKS
from ontologies.store import ConceptStore, open_store
from ontologies.writing.writing import require_writer

Name = tuple[str, str]
"""A lookup text and the label it is linked under."""

_CHUNK = 5_000
_MENTION = ("document_id", "annotation_id", "mention_id")
_RANKED = ("rank", "status", "concept_id", "score", "method")
_NAME_SCHEMA = {"lookup_text": pl.String, "label": pl.String}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A concept that a name may mean."""

    concept_id: str
    score: float
    method: str


@dataclass(frozen=True, slots=True)
class Link:
    """What a name was linked to: candidates, the best first, and what the linker made of them."""

    status: str
    candidates: tuple[Candidate, ...]

    @property
    def concept_id(self) -> str | None:
        """The concept that the warehouse's views show, if the linker decided for one."""
        return self.candidates[0].concept_id if self.status == LINKED else None


class Concepts(Protocol):
    """Concepts that gold is compared with: of a store, or of a warehouse."""

    def current_ids(self, concept_ids: Sequence[str]) -> list[str]:
        """Each CURIE, or the one that took its place."""

    def holds(self, concept_ids: Sequence[str]) -> Iterable[bool]:
        """Whether each of the CURIEs is there."""


def open_named_store(name: str, settings: LinkSettings | None = None) -> ConceptStore:
    """Open ``sample`` or a store's folder.

    Raises:
        CharthouseError: there is no store, or it cannot be used, or it was not encoded by the
            encoder of the settings, or their language model is not there.
    """
    try:
        store = open_store(store_folder(name))
        if settings is not None and settings.encoder:
            require_vectors(store, settings.encoder, settings.pooling)
        if settings is not None:
            require_writer(settings)
        return store
    except OntologyError as error:
        raise CharthouseError(str(error)) from None


def link(
    store: ConceptStore,
    names: Iterable[Name],
    settings: LinkSettings,
    reporter: Reporter,
    *,
    candidates: int | None = None,
) -> Mapping[Name, Link]:
    """Link distinct names.

    Args:
        store: the concepts.
        names: repeated ones count once.
        settings: as of a run.
        reporter: is told how far it is.
        candidates: keep so many for a name instead of the number in the settings.
    """
    distinct = sorted(set(names))
    reporter.stage("linking", "names", len(distinct))
    links: dict[Name, Link] = {}
    for first in range(0, len(distinct), _CHUNK):
        chunk = distinct[first : first + _CHUNK]
        frame = pl.DataFrame(chunk, schema=_NAME_SCHEMA, orient="row")
        _collect(link_names(store, frame, settings, candidates=candidates), links)
        reporter.done(first + len(chunk))
    reporter.end(len(distinct))
    return links


def link_documents(
    store: ConceptStore,
    documents: Mapping[str, Sequence[tuple[Name, str]]],
    settings: LinkSettings,
    reporter: Reporter,
    *,
    candidates: int | None = None,
) -> Mapping[str, Sequence[Link]]:
    """Link the mentions of documents: by their names, then by what else their document says.

    Args:
        store, settings, reporter, candidates: as of :func:`link`.
        documents: document_id to the names of all its mentions and the words around each.

    Returns:
        document_id to one link a mention, in the same order. What context chose stands first
        among the candidates.
    """
    names = link(
        store,
        (n for its in documents.values() for n, _ in its),
        settings,
        reporter,
        candidates=candidates,
    )
    links = {document_id: [names[n] for n, _ in its] for document_id, its in documents.items()}
    if settings.context:
        for document_id, at, concept in _chosen(store, documents, names, settings):
            links[document_id][at] = _preferring(links[document_id][at], concept)
    return links


def words_around(text: str, start: int, end: int) -> str:
    """What of a text counts as the words around a mention."""
    return text[max(start - AROUND, 0) : end + AROUND]


def _chosen(
    store: ConceptStore,
    documents: Mapping[str, Sequence[tuple[Name, str]]],
    names: Mapping[Name, Link],
    settings: LinkSettings,
) -> Iterator[tuple[str, int, str]]:
    """Document, position of the mention and concept of what context decided."""
    mentions = pl.DataFrame(
        [
            (document_id, "", at, *name, around)
            for document_id, its in documents.items()
            for at, (name, around) in enumerate(its)
        ],
        schema={
            **{column: MENTIONS.schema[column] for column in _MENTION},
            **_NAME_SCHEMA,
            "around": pl.String,
        },
        orient="row",
    )
    ranked = pl.DataFrame(
        [
            (*name, rank, its.status, c.concept_id, c.score, c.method)
            for name, its in names.items()
            for rank, c in enumerate(its.candidates[: settings.candidates], start=1)
        ],
        schema={c: NAME_LINKS.schema[c] for c in (*_NAME_SCHEMA, *_RANKED)},
        orient="row",
    )
    chosen = choose_in_context(mentions, ranked, store, settings)
    return chosen.select("document_id", "mention_id", "concept_id").iter_rows()


def _preferring(linked: Link, concept_id: str) -> Link:
    first = [c for c in linked.candidates if c.concept_id == concept_id]
    others = [c for c in linked.candidates if c.concept_id != concept_id]
    return Link(LINKED, (replace(first[0], method=METHOD), *others))


def _collect(frame: pl.DataFrame, links: dict[Name, Link]) -> None:
    columns = ("lookup_text", "label", "status", "concept_id", "score", "method")
    for text, label, status, concept_id, score, method in frame.select(columns).iter_rows():
        before = links[text, label].candidates if (text, label) in links else ()
        found = (Candidate(concept_id, score, method),) if concept_id is not None else ()
        links[text, label] = Link(status, (*before, *found))


def held(store: Concepts, concept_ids: Iterable[str]) -> frozenset[str]:
    """Those of the concepts that the store holds."""
    asked = sorted(set(concept_ids))
    return frozenset(c for c, there in zip(asked, store.holds(asked), strict=True) if there)
