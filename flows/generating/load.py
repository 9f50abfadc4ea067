"""Loading what was generated: a transaction loads shards whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Sequence

from flows.generating.schema import GENERATION_ITEMS
from flows.generating.staging import TABLES
from flows.receipt import Receipt
from flows.warehouse.connection import Connection, transaction
from flows.warehouse.ddl import parquet
from flows.warehouse.generated import ITEM_PATH, remove_items
from flows.warehouse.load import insert, not_loaded


def load_generated(
    connection: Connection, run_id: str, generation_id: str, shards: Sequence[tuple[str, Receipt]]
) -> None:
    """Load shards whose receipts have just been checked, all of them or none.

    What an item had before is deleted first. A shard that is loaded already is left alone, so
    loading twice changes nothing.

    Args:
        connection: the warehouse.
        run_id: the run.
        generation_id: the set.
        shards: for each its shard file and its receipt.
    """
    with transaction(connection):
        for shard_id, shard_path, receipt in not_loaded(connection, run_id, shards):
            _load(connection, run_id, shard_id, generation_id, shard_path, receipt)


def _load(
    connection: Connection,
    run_id: str,
    shard_id: str,
    generation_id: str,
    shard_path: str,
    receipt: Receipt,
) -> None:
    clock = time.perf_counter()
    shard, rejects = parquet(shard_path), parquet(receipt.file("rejects"))
    remove_items(
        connection,
        f"SELECT item_id, ? AS generation_id FROM {shard} WHERE replaces",
        [generation_id],
    )
    for table in TABLES:
        if receipt.counts[table.name]:
            insert(connection, table, parquet(receipt.file(table.name)))
    connection.execute(
        f"""
        INSERT INTO {GENERATION_ITEMS.name} BY NAME
        SELECT i.item_id, ? AS generation_id, i.document_id, i.person_id, i.source_hash,
               ? AS run_id, ? AS shard_id,
               CASE WHEN r.item_id IS NULL THEN 'done' ELSE 'rejected' END AS status
        FROM {shard} i LEFT JOIN {rejects} r USING (item_id)
        """,
        [generation_id, run_id, shard_id],
    )
    connection.execute(
        f"""
        INSERT INTO rejects BY NAME
        SELECT '{ITEM_PATH}' || item_id AS path, 0 AS ordinal, ? AS annotation_id,
               'generate' AS stage, reason, document_id, ? AS run_id
        FROM {rejects}
        """,
        [generation_id, run_id],
    )
    connection.execute(
        "UPDATE shards SET status = 'loaded', rejected = ?, seconds = {preprocess: NULL, "
        "ner: NULL, write: ?, load: ?, privacy: NULL, assertion: NULL, generate: ?}, "
        "loaded_at = now()::TIMESTAMP WHERE shard_id = ?",
        [
            receipt.counts["rejects"],
            receipt.seconds["write"],
            time.perf_counter() - clock,
            receipt.seconds["generate"],
            shard_id,
        ],
    )
