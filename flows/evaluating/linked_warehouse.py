"""Links that stand in a warehouse, as they are judged: those of its first ontology."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.errors import CharthouseError
from flows.evaluating.finding import Finding, find_mentions
from flows.evaluating.gold import GoldCorpus
from flows.evaluating.links import Candidate, Link, Name
from flows.evaluating.mentions import FoundMention
from flows.evaluating.request import Request
from flows.progress import Reporter
from flows.warehouse.access import Access, access_of
from flows.warehouse.connection import read_warehouse
from ontologies.schema import LINKED, NO_CANDIDATE

_Place = tuple[str, int, int, str]
"""A document, start, end, and the label that the mention was found under."""


@dataclass(frozen=True)
class StoredRelease:
    """An ontology release as a warehouse names it."""

    release_id: str
    attribution: str


@dataclass(frozen=True)
class StoredLinks:
    """What the mentions of some documents are linked to, and the concepts of that release."""

    linkset_id: str
    release: StoredRelease
    links: Mapping[_Place, Link]
    replaced: Mapping[str, str]
    concepts: Collection[str]

    def current_ids(self, concept_ids: Sequence[str]) -> list[str]:
        """Each CURIE, or the one that took its place."""
        return [self.replaced.get(concept_id, concept_id) for concept_id in concept_ids]

    def holds(self, concept_ids: Sequence[str]) -> list[bool]:
        """Whether the release has each of the CURIEs."""
        return [concept_id in self.concepts for concept_id in concept_ids]

    def of(self, document_id: str, mentions: Sequence[FoundMention]) -> list[Link]:
        """The links of a document's mentions, in their order."""
        return [self.links[document_id, m.start_char, m.end_char, m.own_label] for m in mentions]


def find_links(
    request: Request, warehouse: Path, corpora: Sequence[GoldCorpus], reporter: Reporter
) -> tuple[Finding, StoredLinks]:
    """The mentions that a warehouse has of gold corpora, and what they are linked to.

    Raises:
        CharthouseError: the warehouse cannot be used, or its names are not linked.
    """
    finding = find_mentions(request, corpora, reporter)
    asked = [document_id for its in finding.found for document_id in its.mentions]
    return finding, read_links(warehouse, access_of(request.settings.warehouse), asked)


def read_links(warehouse: Path, access: Access, document_ids: Collection[str]) -> StoredLinks:
    """Read the links of documents, and the release that they lead to.

    Raises:
        CharthouseError: the warehouse cannot be read, or its names are not linked.
    """
    with read_warehouse(warehouse, access) as connection:
        linksets = connection.execute(
            "SELECT linkset_id, release_id, coalesce(attribution, '') FROM linksets "
            "LEFT JOIN ontology_releases USING (release_id) WHERE is_current AND position = 1"
        ).fetchall()
        if not linksets:
            raise CharthouseError(
                f"warehouse {warehouse} has no linked concepts",
                "charthouse relink --ontology STORE links its names",
            )
        linkset_id, release_id, attribution = linksets[0]
        asked = [sorted(document_ids)]
        mentions = connection.execute(
            "SELECT document_id, start_char, end_char, label, lookup_text, concept_id, link_score, "
            "link_method FROM entities WHERE document_id IN (SELECT unnest(?::VARCHAR[]))",
            asked,
        ).fetchall()
        ranked = connection.execute(
            "SELECT lookup_text, label, status, concept_id, score, method FROM name_links "
            "SEMI JOIN (SELECT lookup_text, label FROM entities WHERE document_id IN "
            "(SELECT unnest(?::VARCHAR[]))) USING (lookup_text, label) "
            "WHERE linkset_id = ? ORDER BY rank",
            [*asked, linkset_id],
        ).fetchall()
        replaced = connection.execute(
            "SELECT old_id, concept_id FROM concept_replacements WHERE release_id = ?",
            [release_id],
        ).fetchall()
        concepts = connection.execute(
            "SELECT concept_id FROM concepts WHERE release_id = ?", [release_id]
        ).fetchall()
    names = _by_name(ranked)
    links = {
        (document_id, start, end, label): _decided(
            names.get((name, label), Link(NO_CANDIDATE, ())),
            None if concept_id is None else Candidate(concept_id, score, method),
        )
        for document_id, start, end, label, name, concept_id, score, method in mentions
    }
    return StoredLinks(
        linkset_id,
        StoredRelease(release_id, attribution),
        links,
        dict(replaced),
        frozenset(concept_id for (concept_id,) in concepts),
    )


def _by_name(ranked: Iterable[tuple[Any, ...]]) -> dict[Name, Link]:
    """Names with all their candidates, from rows by rank."""
    links: dict[Name, Link] = {}
    for name, label, status, concept_id, score, method in ranked:
        before = links[name, label].candidates if (name, label) in links else ()
        found = () if concept_id is None else (Candidate(concept_id, score, method),)
        links[name, label] = Link(status, (*before, *found))
    return links


def _decided(name: Link, concept: Candidate | None) -> Link:
    """What a mention is linked to: its concept first, which context may have chosen."""
    if concept is None:
        return name
    others = (c for c in name.candidates if c.concept_id != concept.concept_id)
    return Link(LINKED, (concept, *others))
