"""Loading: one writer; a transaction loads a shard, or all that are ready, whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from flows.receipt import Receipt, StagingError, check
from flows.warehouse.connection import Connection, transaction
from flows.warehouse.ddl import column_list, parquet
from flows.warehouse.generated import follow_persons, items_about, remove_items
from nlp.schema import ANNOTATION_TABLES, DOCUMENTS
from ontologies.schema import NAME_LINKS
from ontologies.table import Table

_PER_SET = (*(table.name for table in ANNOTATION_TABLES), "mention_links", "rejects")
"""Tables of what an annotation set found in documents."""


def load_checked(
    connection: Connection,
    run_id: str,
    annotation_id: str,
    shards: Sequence[tuple[str, Receipt]],
    *,
    deidentified: bool = False,
) -> None:
    """Load annotated shards whose receipts have just been checked, all of them or none.

    Documents, annotations, rejects and ledger go in together. Only what documents planned as
    replacements replace is deleted first. A shard that is loaded already is left alone, so loading
    twice changes nothing. A commit waits for the disk: many small shards in one transaction wait
    once.

    Args:
        connection: the warehouse.
        run_id: the run.
        annotation_id: what annotated them.
        shards: for each its shard file and its receipt.
        deidentified: the workers' output has the documents as they are to be stored; those of the
            shard files are never read.

    Raises:
        StagingError: it has not; nothing was loaded.
    """
    for _, receipt in shards:
        if deidentified and DOCUMENTS.name not in receipt.counts:
            raise StagingError(
                f"staged output of shard {receipt.shard} lacks its de-identified documents",
                "Remove the work folder and run the same command again: the shard is planned anew",
            )
    with transaction(connection):
        for shard_id, shard_path, receipt in not_loaded(connection, run_id, shards):
            _load(connection, run_id, shard_id, annotation_id, shard_path, receipt)


def not_loaded(
    connection: Connection, run_id: str, shards: Sequence[tuple[str, Receipt]]
) -> Iterator[tuple[str, str, Receipt]]:
    """The shards of a run that are planned and not yet loaded, each after its shard_id."""
    for shard_path, receipt in shards:
        shard_id = f"{run_id}:{receipt.shard:05d}"
        ((status,),) = connection.execute(
            "SELECT status FROM shards WHERE shard_id = ?", [shard_id]
        ).fetchall()
        if status == "planned":
            yield shard_id, shard_path, receipt


def _load(
    connection: Connection,
    run_id: str,
    shard_id: str,
    annotation_id: str,
    shard_path: str,
    receipt: Receipt,
) -> None:
    clock = time.perf_counter()
    _replace_and_insert(connection, run_id, shard_id, annotation_id, shard_path, receipt)
    connection.execute(
        "UPDATE shards SET status = 'loaded', mentions = ?, rejected = ?, "
        "seconds = {preprocess: ?, ner: ?, write: ?, load: ?, privacy: ?, assertion: ?, "
        "generate: NULL}, "
        # What was de-identified came from a file of raw texts: no hash of it is to be kept.
        "checksum = CASE WHEN ? THEN '' ELSE checksum END, "
        "loaded_at = now()::TIMESTAMP WHERE shard_id = ?",
        [
            receipt.counts["mentions"],
            receipt.counts["rejects"],
            receipt.seconds["preprocess"],
            receipt.seconds["ner"],
            receipt.seconds["write"],
            time.perf_counter() - clock,
            receipt.seconds.get("privacy", 0.0),
            receipt.seconds.get("assertion", 0.0),
            DOCUMENTS.name in receipt.counts,
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
        _make_room(connection, annotation_id, shard)
    stored = DOCUMENTS.name in receipt.counts
    insert(connection, DOCUMENTS, parquet(receipt.file(DOCUMENTS.name)) if stored else shard)
    if replacing:
        follow_persons(connection, f"SELECT document_id FROM {shard} WHERE replaces")
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
        "DELETE FROM rejects WHERE stage = 'annotate' AND annotation_id = ? AND document_id IN "
        f"(SELECT document_id FROM {shard})",
        [annotation_id],
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


def _make_room(connection: Connection, annotation_id: str, shard: str) -> None:
    """Remove what the shard's documents replace.

    Of a document whose text is another one now that is all annotation sets. Of one whose text is
    the same it is what this annotation set found before, and the current set, unless that is to be
    kept; the sets that stay are not current any more. What was generated of another text, or as
    relations between mentions that go, goes too.
    """
    replaced = f"(SELECT document_id FROM {shard} WHERE replaces)"
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE outdated AS
        SELECT a.document_id, a.annotation_id
        FROM document_annotations a JOIN {shard} s ON s.document_id = a.document_id
        WHERE s.replaces AND (
          a.annotation_id = ? OR a.source_hash != s.source_hash
          OR (a.is_current AND NOT s.keeps_previous))
        """,
        [annotation_id],
    )
    # The ledger's row of this set is written over: its key must not be there twice.
    connection.execute(
        _delete_outdated("document_annotations") + " AND o.annotation_id != ?", [annotation_id]
    )
    for name in _PER_SET:
        connection.execute(_delete_outdated(name))
    other_text = (
        f"SELECT d.document_id FROM {DOCUMENTS.name} d JOIN {shard} s USING (document_id) "
        "WHERE s.replaces AND d.source_hash != s.source_hash"
    )
    pairs = "SELECT document_id, annotation_id FROM outdated"
    remove_items(connection, items_about(other_text, pairs))
    connection.execute("DROP TABLE outdated")
    connection.execute(
        "UPDATE document_annotations SET is_current = false "
        f"WHERE is_current AND annotation_id != ? AND document_id IN {replaced}",
        [annotation_id],
    )
    connection.execute(f"DELETE FROM {DOCUMENTS.name} WHERE document_id IN {replaced}")


def _delete_outdated(table: str) -> str:
    return (
        f"DELETE FROM {table} t USING outdated o "
        "WHERE t.document_id = o.document_id AND t.annotation_id = o.annotation_id"
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
