"""Mentions that their document links otherwise than their name does: ``mention_links``."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from flows.order import LinkTarget
from flows.schema import MENTION_LINKS
from flows.warehouse.connection import Connection, transaction
from flows.warehouse.ddl import column_list, literal
from nlp.context import AROUND, choose_in_context
from ontologies.linker import LinkSettings
from ontologies.store import open_store

DOCUMENTS_AT_ONCE = 5_000


def link_in_context(
    connection: Connection,
    target: LinkTarget,
    settings: LinkSettings,
    run_id: str,
    check: Callable[[], None],
) -> None:
    """Write what the documents of a run say of their mentions, for one ontology.

    What context chooses depends on a document and on the links of its names alone. So where the
    linkset is the current one, only documents are gone through that no finished run annotated:
    those of this run, and of runs that were given up. Where another one is current, or none, runs
    may have passed this linkset over, and all documents are gone through. Each slice of documents
    is replaced in a transaction of its own, so that a run that was killed goes on from anywhere.

    Args:
        connection: the warehouse, all names linked.
        target: the ontology.
        settings: as of its linkset.
        run_id: the run.
        check: raises if the run is to stop.
    """
    linkset = literal(target.linkset_id)
    is_current = connection.execute(
        "SELECT 1 FROM linksets WHERE linkset_id = ? AND is_current", [target.linkset_id]
    ).fetchall()
    unfinished = (
        f"AND (a.run_id = {literal(run_id)} "
        "OR a.run_id NOT IN (SELECT run_id FROM runs WHERE status = 'done'))"
    )
    documents = connection.sql(
        "SELECT DISTINCT m.document_id, m.annotation_id FROM mentions m "
        f"JOIN document_annotations a ON a.document_id = m.document_id "
        f"AND a.annotation_id = m.annotation_id {unfinished if is_current else ''} "
        "JOIN name_links n ON n.lookup_text = m.lookup_text AND n.label = m.label "
        f"AND n.linkset_id = {linkset} AND n.rank = 1 AND n.concept_id IS NOT NULL "
        "AND (n.status != 'linked' OR n.method NOT IN ('exact', 'equivalent')) ORDER BY ALL"
    ).pl()
    store = open_store(target.store)
    around = "NULL::VARCHAR"
    if settings.encoder:
        begin = f"greatest(m.start_char - {AROUND}, 0)"
        around = f"substr(d.text, {begin} + 1, m.end_char + {AROUND} - {begin})"
    for first in range(0, len(documents), DOCUMENTS_AT_ONCE):
        check()
        slice_ = documents.slice(first, DOCUMENTS_AT_ONCE)
        connection.register("slice_documents", slice_.to_arrow())
        try:
            mentions = connection.sql(
                f"SELECT document_id, annotation_id, mention_id, lookup_text, label, {around} "
                "AS around FROM mentions m JOIN slice_documents USING (document_id, annotation_id) "
                "JOIN documents d USING (document_id) ORDER BY ALL"
            ).pl()
            links = connection.sql(
                "SELECT * FROM name_links n SEMI JOIN (SELECT lookup_text, label FROM mentions "
                "JOIN slice_documents USING (document_id, annotation_id)) "
                f"USING (lookup_text, label) WHERE n.linkset_id = {linkset} ORDER BY ALL"
            ).pl()
            chosen = choose_in_context(mentions, links, store, settings)
            _replace(connection, chosen, linkset)
        finally:
            connection.unregister("slice_documents")


def _replace(connection: Connection, chosen: pl.DataFrame, linkset: str) -> None:
    connection.register("chosen_links", chosen.to_arrow())
    try:
        with transaction(connection):
            connection.execute(
                f"DELETE FROM mention_links WHERE linkset_id = {linkset} AND EXISTS ("
                "FROM slice_documents s WHERE s.document_id = mention_links.document_id "
                "AND s.annotation_id = mention_links.annotation_id)"
            )
            connection.execute(
                f"INSERT INTO mention_links BY NAME SELECT {column_list(MENTION_LINKS)} "
                f"FROM (SELECT *, {linkset} AS linkset_id FROM chosen_links)"
            )
    finally:
        connection.unregister("chosen_links")
