"""Checks of what was generated: the ledger vouches for every row, and rows lie in documents."""

from __future__ import annotations

from flows.warehouse.checks import Check
from flows.warehouse.generated import ITEM_PATH

_DONE = "(FROM generation_items WHERE status = 'done')"


def _in_ledger(table: str) -> Check:
    return Check(
        f"{table}_in_ledger",
        f"{table}: no rows but those of an item that generation_items has as done",
        f"SELECT DISTINCT item_id AS subject FROM {table} ANTI JOIN {_DONE} i "
        "USING (item_id, generation_id)",
    )


GENERATED_CHECKS = (
    _in_ledger("generations"),
    _in_ledger("generation_sources"),
    Check(
        "relations_in_ledger",
        "relations: no rows but those of a document that generation_items has as done",
        "SELECT DISTINCT r.document_id AS subject FROM relations r "
        f"LEFT JOIN {_DONE} i ON i.item_id = r.document_id AND i.generation_id = r.generation_id "
        "WHERE i.item_id IS NULL",
    ),
    Check(
        "items_have_texts",
        "an item that is done has its text in generations, unless relations were asked for",
        f"SELECT i.item_id AS subject FROM {_DONE} i JOIN generation_sets s USING (generation_id) "
        "ANTI JOIN generations g USING (item_id, generation_id) WHERE s.task != 'relations'",
    ),
    Check(
        "items_of_documents",
        "what was generated is about documents that are there and not withdrawn, and was given "
        "passages of such",
        "SELECT item_id AS subject FROM (SELECT item_id, document_id FROM generation_items "
        "UNION ALL SELECT item_id, document_id FROM generations "
        "UNION ALL SELECT item_id, document_id FROM generation_sources "
        "UNION ALL SELECT document_id, document_id FROM relations) "
        "WHERE document_id IS NOT NULL AND document_id NOT IN "
        "(SELECT document_id FROM documents WHERE NOT is_deleted)",
    ),
    Check(
        "items_of_sets",
        "every generation set in generation_items is described in generation_sets",
        "SELECT DISTINCT generation_id AS subject FROM generation_items "
        "ANTI JOIN generation_sets USING (generation_id)",
    ),
    Check(
        "items_of_runs",
        "every row of generation_items names a run and a shard that was loaded",
        "SELECT item_id AS subject FROM generation_items i LEFT JOIN shards s USING (shard_id) "
        "LEFT JOIN runs r ON r.run_id = i.run_id "
        "WHERE r.run_id IS NULL OR s.status IS DISTINCT FROM 'loaded'",
    ),
    Check(
        "items_rejected",
        "an item that failed is in generation_items as rejected, and has its reason in rejects",
        f"SELECT coalesce(r.path, '{ITEM_PATH}' || i.item_id) AS subject "
        "FROM (FROM rejects WHERE stage = 'generate') r "
        "FULL JOIN (FROM generation_items WHERE status = 'rejected') i "
        f"ON r.path = '{ITEM_PATH}' || i.item_id AND r.annotation_id = i.generation_id "
        "WHERE r.path IS NULL OR i.item_id IS NULL",
    ),
    Check(
        "generations_marked",
        "every text in generations is marked as generated",
        "SELECT item_id AS subject FROM generations WHERE NOT is_generated",
    ),
    Check(
        "relations_of_mentions",
        "relations lead from one mention to another",
        "SELECT r.document_id AS subject FROM relations r LEFT JOIN mentions s "
        "ON s.document_id = r.document_id AND s.annotation_id = r.annotation_id "
        "AND s.mention_id = r.subject_mention_id LEFT JOIN mentions o "
        "ON o.document_id = r.document_id AND o.annotation_id = r.annotation_id "
        "AND o.mention_id = r.object_mention_id "
        "WHERE s.mention_id IS NULL OR o.mention_id IS NULL",
    ),
)
"""Checks of generated texts, their passages, and relations."""
