"""Conservation: every item that a run has planned is in the ledger once, done or rejected."""

from __future__ import annotations

from flows.conservation import agree, all_loaded, check_plan, rejects_of
from flows.counts import counts_of
from flows.warehouse.connection import Connection


def check_generation(connection: Connection, run_id: str) -> None:
    """Check that every item planned by a run ended in the ledger, once.

    Args:
        connection: the open warehouse.
        run_id: a run all shards of which are done.

    Raises:
        ConservationError: some are missing or there twice.
    """
    counts = counts_of(connection, run_id)
    check_plan(counts)
    items, failed = all_loaded(connection, run_id)
    ((ledger, rejected),) = connection.execute(
        "SELECT count(*), count(*) FILTER (status = 'rejected') FROM generation_items "
        "WHERE run_id = ?",
        [run_id],
    ).fetchall()
    agree(
        {
            "items to work on": counts.new + counts.replaced,
            "in shards": items,
            "in the ledger": ledger,
        }
    )
    told = rejects_of(connection, run_id, "generate")
    agree({"items that failed": failed, "in the ledger": rejected, "in rejects": told})
    ((texts, owed),) = connection.execute(
        "SELECT count(g.item_id), count(*) FROM generation_items i "
        "JOIN generation_sets s USING (generation_id) LEFT JOIN generations g "
        "ON g.item_id = i.item_id AND g.generation_id = i.generation_id "
        "WHERE i.run_id = ? AND i.status = 'done' AND s.task != 'relations'",
        [run_id],
    ).fetchall()
    agree({"items done": owed, "texts": texts})
