"""Names linked by the very code that a run links with, and looked up again one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from flows.bundled import store_folder
from flows.errors import CharthouseError
from flows.progress import Reporter
from ontologies.errors import OntologyError
from ontologies.linker import LinkSettings, link_names
from ontologies.schema import LINKED
from ontologies.store import ConceptStore, open_store

Name = tuple[str, str]
"""A lookup text and the label it is linked under."""

_CHUNK = 5_000


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


def open_named_store(name: str) -> ConceptStore:
    """Open ``sample`` or a store's folder.

    Raises:
        CharthouseError: there is no store, or it cannot be used.
    """
    try:
        return open_store(store_folder(name))
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
        schema = {"lookup_text": pl.String, "label": pl.String}
        frame = pl.DataFrame(chunk, schema=schema, orient="row")
        _collect(link_names(store, frame, settings, candidates=candidates), links)
        reporter.done(first + len(chunk))
    reporter.end(len(distinct))
    return links


def _collect(frame: pl.DataFrame, links: dict[Name, Link]) -> None:
    columns = ("lookup_text", "label", "status", "concept_id", "score", "method")
    for text, label, status, concept_id, score, method in frame.select(columns).iter_rows():
        before = links[text, label].candidates if (text, label) in links else ()
        found = (Candidate(concept_id, score, method),) if concept_id is not None else ()
        links[text, label] = Link(status, (*before, *found))


def held(store: ConceptStore, concept_ids: Iterable[str]) -> frozenset[str]:
    """Those of the concepts that the store holds."""
    asked = sorted(set(concept_ids))
    return frozenset(c for c, there in zip(asked, store.holds(asked), strict=True) if there)
