"""Mentions that their document links otherwise than their name does: ``mention_links``."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from flows.fresh import fresh_ledger
from flows.order import LinkTarget
from flows.schema import MENTION_LINKS
from flows.warehouse.connection import Connection, transaction
from flows.warehouse.ddl import column_list, literal
from nlp.context import AROUND, choose_in_context
from ontologies.linker import LinkSettings
from ontologies.store import ConceptStore, open_store

MENTIONS_AT_ONCE = 50_000
"""Documents of about so many mentions are a slice: the memory that choosing needs."""

SLICES_AT_ONCE = 50
"""So many slices are taken out of the tables together: each taking scans all mentions."""


def link_in_context(
    connection: Connection,
    target: LinkTarget,
    settings: LinkSettings,
    check: Callable[[], None],
) -> None:
    """Write what documents say of their mentions, for one ontology.

    What context chooses depends on a document and on the links of its names alone. So only
    documents are gone through that the linkset may not know (see :mod:`flows.fresh`), and of
    these the ones with a name that decides too little. Each slice of documents is replaced in a
    transaction of its own, so that a run that was killed goes on from anywhere.

    Args:
        connection: the warehouse, all names linked.
        target: the ontology.
        settings: as of its linkset.
        check: raises if the run is to stop.
    """
    fresh = fresh_ledger(connection, target.linkset_id)
    if fresh is None:
        return
    linkset = literal(target.linkset_id)
    try:
        slices = _cut_slices(connection, linkset, fresh)
        store = open_store(target.store)
        for first in range(0, slices, SLICES_AT_ONCE):
            check()
            last = min(first + SLICES_AT_ONCE, slices)
            _take_out(connection, linkset, first, last, with_words=bool(settings.encoder))
            for number in range(first, last):
                check()
                chosen = _choose(connection, number, store, settings)
                _replace(connection, chosen, number, linkset)
    finally:
        for name in ("context_documents", "context_mentions", "context_links"):
            connection.execute(f"DROP TABLE IF EXISTS temp.{name}")


def _cut_slices(connection: Connection, linkset: str, fresh: str) -> int:
    """Number the documents whose names decide too little by slice; returns how many slices."""
    undecided = "n.concept_id IS NOT NULL AND (n.status != 'linked' OR n.method NOT IN "
    undecided += "('exact', 'equivalent'))"
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE context_documents AS
        SELECT document_id, annotation_id, ((sum(mentions) OVER (
            ORDER BY document_id, annotation_id ROWS UNBOUNDED PRECEDING) - mentions)
            // {MENTIONS_AT_ONCE})::INTEGER AS slice
        FROM (
          SELECT m.document_id, m.annotation_id, count(*) AS mentions
          FROM mentions m JOIN {fresh} a
            ON a.document_id = m.document_id AND a.annotation_id = m.annotation_id
          LEFT JOIN name_links n ON n.lookup_text = m.lookup_text AND n.label = m.label
            AND n.linkset_id = {linkset} AND n.rank = 1
          GROUP BY ALL HAVING bool_or({undecided})
        )
        """
    )
    ((last,),) = connection.execute("SELECT max(slice) FROM context_documents").fetchall()
    return 0 if last is None else int(last) + 1


def _take_out(
    connection: Connection, linkset: str, first: int, last: int, *, with_words: bool
) -> None:
    """Copy the mentions of some slices, and the links of their names, into temporary tables."""
    words, documents = "NULL::VARCHAR", ""
    if with_words:
        begin = f"greatest(m.start_char - {AROUND}, 0)"
        words = f"substr(d.text, {begin} + 1, m.end_char + {AROUND} - {begin})"
        documents = "JOIN documents d ON d.document_id = m.document_id"
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE context_mentions AS
        SELECT c.slice, m.document_id, m.annotation_id, m.mention_id, m.lookup_text, m.label,
          {words} AS around
        FROM mentions m JOIN context_documents c
          ON c.document_id = m.document_id AND c.annotation_id = m.annotation_id
          AND c.slice >= {first} AND c.slice < {last}
        {documents} ORDER BY c.slice
        """
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE context_links AS SELECT n.* FROM name_links n "
        f"SEMI JOIN context_mentions USING (lookup_text, label) WHERE n.linkset_id = {linkset}"
    )


def _choose(
    connection: Connection, number: int, store: ConceptStore, settings: LinkSettings
) -> pl.DataFrame:
    mentions = connection.sql(
        "SELECT * EXCLUDE (slice) FROM context_mentions WHERE slice = $number ORDER BY ALL",
        params={"number": number},
    ).pl()
    links = connection.sql(
        "SELECT * FROM context_links SEMI JOIN (FROM context_mentions WHERE slice = $number) "
        "USING (lookup_text, label) ORDER BY ALL",
        params={"number": number},
    ).pl()
    return choose_in_context(mentions, links, store, settings)


def _replace(connection: Connection, chosen: pl.DataFrame, number: int, linkset: str) -> None:
    connection.register("chosen_links", chosen.to_arrow())
    try:
        with transaction(connection):
            connection.execute(
                f"DELETE FROM mention_links WHERE linkset_id = {linkset} AND EXISTS ("
                "FROM context_documents c WHERE c.document_id = mention_links.document_id "
                "AND c.annotation_id = mention_links.annotation_id AND c.slice = ?)",
                [number],
            )
            connection.execute(
                f"INSERT INTO mention_links BY NAME SELECT {column_list(MENTION_LINKS)} "
                f"FROM (SELECT *, {linkset} AS linkset_id FROM chosen_links)"
            )
    finally:
        connection.unregister("chosen_links")
