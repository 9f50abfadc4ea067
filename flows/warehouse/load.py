"""Loading: one writer; a transaction loads a shard, or all that are ready, whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Sequence

from flows.receipt import Receipt, check
from flows.warehouse.connection import Connection, transaction
from flows.warehouse.ddl import column_list, parquet
from nlp.schema import ANNOTATION_TABLES, DOCUMENTS
from ontologies.schema import NAME_LINKS
from ontologies.table import Table

_PER_DOCUMENT = (*(table.name for table in ANNOTATION_TABLES), "mention_links")


def load_shard(
    connection: Connection, run_id: str, annotation_id: str, shard_path: str, receipt: Receipt
) -> None:
    """Load one annotated shard: documents, annotations, rejects and ledger, all or nothing.

    Only documents planned as replacements are deleted first. A shard that is loaded already is
    left alone, so loading twice changes nothing.

    Raises:
        StagingError: the staged files are not those of the receipt.
    """
    check(receipt)
    load_checked(connection, run_id, annotation_id, [(shard_path, receipt)])


def load_checked(
    connection: Connection,
    run_id: str,
    annotation_id: str,
    shards: Sequence[tuple[str, Receipt]],
) -> None:
    """Load annotated shards whose receipts have just been checked, all of them or none.

    A commit waits for the disk: many small shards in one transaction wait once.

    Args:
        connection: the warehouse.
        run_id: the run.
        annotation_id: what annotated them.
        shards: for each its shard file and its receipt.
    """
    with transaction(connection):
        for shard_path, receipt in shards:
            _load(connection, run_id, annotation_id, shard_path, receipt)


def _load(
    connection: Connection, run_id: str, annotation_id: str, shard_path: str, receipt: Receipt
) -> None:
    clock = time.perf_counter()
    shard_id = f"{run_id}:{receipt.shard:05d}"
    ((status,),) = connection.execute(
        "SELECT status FROM shards WHERE shard_id = ?", [shard_id]
    ).fetchall()
    if status != "planned":
        return
    _replace_and_insert(connection, run_id, shard_id, annotation_id, shard_path, receipt)
    connection.execute(
        "UPDATE shards SET status = 'loaded', mentions = ?, rejected = ?, "
        "seconds = {preprocess: ?, ner: ?, write: ?, load: ?}, "
        "loaded_at = now()::TIMESTAMP WHERE shard_id = ?",
        [
            receipt.counts["mentions"],
            receipt.counts["rejects"],
            receipt.seconds["preprocess"],
            receipt.seconds["ner"],
            receipt.seconds["write"],
            time.perf_counter() - clock,
            shard_id,
        ],
    )


def _replace_and_insert(
    connection: Connection,
    run_id: str,
    shard_id: str,
    annotation_id: str,
    shard_path: str,
    receipt: Receipt,
) -> None:
    shard = parquet(shard_path)
    rejects = parquet(receipt.file("rejects"))
    ((replacing,),) = connection.execute(f"SELECT count(*) FROM {shard} WHERE replaces").fetchall()
    if replacing:
        for name in (*_PER_DOCUMENT, DOCUMENTS.name):
            connection.execute(
                f"DELETE FROM {name} WHERE document_id IN "
                f"(SELECT document_id FROM {shard} WHERE replaces)"
            )
        connection.execute(
            "DELETE FROM document_annotations WHERE annotation_id != ? AND document_id IN "
            f"(SELECT document_id FROM {shard} WHERE replaces)",
            [annotation_id],
        )
    insert(connection, DOCUMENTS, shard)
    for table in ANNOTATION_TABLES:
        insert(connection, table, parquet(receipt.file(table.name)))
    connection.execute(
        f"""
        INSERT OR REPLACE INTO document_annotations BY NAME
        SELECT d.document_id, ? AS annotation_id, d.source_hash, ? AS run_id, ? AS shard_id,
               CASE WHEN r.document_id IS NULL THEN 'done' ELSE 'rejected' END AS status,
               true AS is_current
        FROM {shard} d LEFT JOIN {rejects} r USING (document_id)
        """,
        [annotation_id, run_id, shard_id],
    )
    connection.execute(
        "DELETE FROM rejects WHERE stage = 'annotate' AND document_id IN "
        f"(SELECT document_id FROM {shard})"
    )
    connection.execute(
        f"""
        INSERT OR REPLACE INTO rejects BY NAME
        SELECT path, ordinal, ? AS annotation_id, 'annotate' AS stage, reason, document_id,
               ? AS run_id
        FROM {rejects}
        """,
        [annotation_id, run_id],
    )


def insert(connection: Connection, table: Table, source: str) -> None:
    """Insert a table's declared columns from a query source, matched by name."""
    connection.execute(
        f"INSERT INTO {table.name} BY NAME SELECT {column_list(table)} FROM {source}"
    )


def load_name_links(connection: Connection, receipt: Receipt) -> None:
    """Load the links of a chunk of names in one transaction; names already linked are left."""
    check(receipt)
    staged = parquet(receipt.file(NAME_LINKS.name))
    connection.execute(
        f"INSERT INTO {NAME_LINKS.name} BY NAME SELECT {column_list(NAME_LINKS)} FROM {staged} s "
        f"WHERE NOT EXISTS (FROM {NAME_LINKS.name} n WHERE n.lookup_text = s.lookup_text "
        "AND n.label = s.label AND n.linkset_id = s.linkset_id)"
    )
