"""Removing what was generated: an item with its text, its passages, its relations and its reject.

An item goes with the documents that it is about, or that it was given passages of: what was
written of them must not outlive them, nor tell of a version that is not there any more.
"""

from __future__ import annotations

from collections.abc import Sequence

from flows.warehouse.layout import Connection

ITEM_PATH = "item:"
"""Before the item_id, the ``path`` of a reject: an item comes from no file."""

OF_ITEMS = ("generations", "generation_sources", "generation_items")
"""Tables with the columns ``item_id`` and ``generation_id``."""


def items_about(documents: str, pairs: str | None = None) -> str:
    """A query of ``item_id`` and ``generation_id``: items that rest on documents.

    Args:
        documents: a query of ``document_id``: items about them, or that were given passages of
            them.
        pairs: a query of ``document_id`` and ``annotation_id``: items of which relations between
            the mentions of that annotation set have come.
    """
    rests_on = " UNION ".join(
        f"SELECT item_id, generation_id FROM {table} WHERE document_id IN ({documents})"
        for table in ("generation_items", "generation_sources")
    )
    if pairs is None:
        return rests_on
    return (
        f"{rests_on} UNION SELECT document_id, generation_id FROM relations "
        f"WHERE (document_id, annotation_id) IN ({pairs})"
    )


def remove_items(connection: Connection, items: str, parameters: Sequence[object] = ()) -> int:
    """Remove items from all tables; part of the caller's transaction.

    Args:
        connection: the warehouse.
        items: a query of ``item_id`` and ``generation_id``.
        parameters: of the query.

    Returns:
        How many items the ledger had.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE items_to_remove AS "
        f"SELECT DISTINCT item_id, generation_id FROM ({items})",
        list(parameters),
    )
    removed = 0
    ((any_,),) = connection.execute("SELECT count(*) FROM items_to_remove").fetchall()
    if any_:
        for table, condition in conditions("items_to_remove").items():
            ((count,),) = connection.execute(f"DELETE FROM {table} WHERE {condition}").fetchall()
            removed = count if table == "generation_items" else removed
    connection.execute("DROP TABLE items_to_remove")
    return int(removed)


def follow_persons(connection: Connection, documents: str) -> None:
    """Let what was generated follow documents that are of another person now.

    What is about such a document is about its person of now. What was answered about a person
    from a document that is another's goes.

    Args:
        connection: the warehouse, in the caller's transaction; documents are as they are to be.
        documents: a query of ``document_id``.
    """
    remove_items(
        connection,
        "SELECT item_id, generation_id FROM generation_items i "
        "JOIN generation_sources s USING (item_id, generation_id) "
        "JOIN documents d ON d.document_id = s.document_id "
        "WHERE i.document_id IS NULL AND i.person_id IS NOT NULL "
        f"AND d.person_id IS DISTINCT FROM i.person_id AND d.document_id IN ({documents})",
    )
    for table in ("generation_items", "generations"):
        connection.execute(
            f"UPDATE {table} SET person_id = d.person_id FROM documents d "
            f"WHERE d.document_id = {table}.document_id "
            f"AND d.person_id IS DISTINCT FROM {table}.person_id "
            f"AND d.document_id IN ({documents})"
        )


def conditions(items: str) -> dict[str, str]:
    """By table the condition for rows of the items in a table of ``item_id, generation_id``."""
    keys = f"(SELECT item_id, generation_id FROM {items})"
    return dict.fromkeys(OF_ITEMS, f"(item_id, generation_id) IN {keys}") | {
        "relations": f"(document_id, generation_id) IN {keys}",
        "rejects": (
            "stage = 'generate' AND (path, annotation_id) IN "
            f"(SELECT '{ITEM_PATH}' || item_id, generation_id FROM {items})"
        ),
    }
