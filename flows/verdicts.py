"""Verdicts: each record beside what the warehouse knows of its document.

They are kept in temporary tables of the warehouse, which DuckDB moves to disk where memory is
short: ``incoming`` holds the keys of every record of the pass, ``unreadable`` what is no document,
``failed_before`` where the documents stand that could not be annotated, ``vanished`` and ``gone``
documents and files to prune.
"""

from __future__ import annotations

from typing import get_args

from flows.counts import PlanCounts
from flows.incoming import PER_SOURCE, RELEASE_ORDER
from flows.planning import Planning
from flows.slices import Slice
from flows.warehouse.connection import Connection
from flows.warehouse.ddl import literal
from flows.warehouse.tombstones import is_forgotten
from nlp.settings import Kind

NEW, REPLACE, METADATA, DELETE, SKIP, STALE, FORGOTTEN = (
    "new",
    "replace",
    "metadata",
    "delete",
    "skip",
    "stale",
    "forgotten",
)
"""Verdicts on a record: annotate it, annotate it in place of its older version, update metadata
alone, remove the document, nothing to do, nothing to do because a later version is known, nothing
to do because it is to stay forgotten."""

DUPLICATE, SUPERSEDED = "duplicate", "superseded"
"""Verdicts on records of a document that has another record, one that counts, in this pass."""

ANNOTATED = f"verdict IN ('{NEW}', '{REPLACE}')"
"""The records to annotate, as a condition on ``incoming``."""

_VERDICTS = (NEW, REPLACE, METADATA, DELETE, SKIP, STALE, FORGOTTEN, DUPLICATE, SUPERSEDED)
_TABLES = {
    "incoming": "seq BIGINT, slice INTEGER, document_id VARCHAR, "
    f"kind ENUM ({', '.join(map(literal, get_args(Kind)))}), "
    "source_order BIGINT, version UBIGINT, characters INTEGER, "
    f"verdict ENUM ({', '.join(map(literal, _VERDICTS))}), revives BOOLEAN",
    "unreadable": "seq BIGINT, path VARCHAR, ordinal BIGINT, reason VARCHAR",
    "failed_before": "seq BIGINT, path VARCHAR, ordinal BIGINT",
    "vanished": "document_id VARCHAR",
    "gone": "path VARCHAR",
}
"""``version`` is a hash over what tells versions of a document apart: it only counts them.
``revives`` is true where the annotation set is there, but another one is current."""


def create_tables(connection: Connection) -> None:
    """Begin a pass."""
    for name, columns in _TABLES.items():
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns})")


def drop_tables(connection: Connection) -> None:
    """Free what planning held: workers need the memory."""
    for name in _TABLES:
        connection.execute(f"DROP TABLE {name}")


def judge(planning: Planning, slice_: Slice) -> list[int]:
    """Judge a slice against the warehouse.

    Returns:
        ``seq`` of the rows of which more than the keys may be needed.
    """
    connection = planning.connection
    if len(slice_.rejects):
        connection.register("slice_rejects", slice_.rejects.to_arrow())
        connection.execute("INSERT INTO unreadable BY NAME SELECT * FROM slice_rejects")
        connection.unregister("slice_rejects")
    if not len(slice_.documents):
        return []
    retry = planning.order.settings.source.retry_rejects
    keys = slice_.documents.select(
        "seq",
        "document_id",
        "kind",
        "source_order",
        "source_hash",
        "metadata_hash",
        "characters",
        "is_deleted",
        "person_id",
        "path",
        "ordinal",
    )
    connection.register("slice_keys", keys.to_arrow())
    connection.execute(
        f"""
        INSERT INTO incoming BY NAME
        SELECT k.seq, {slice_.number} AS slice, k.document_id, k.kind, k.source_order,
               hash(k.source_hash, k.metadata_hash) AS version, k.characters, CASE
          WHEN {is_forgotten(connection, "k")} THEN '{FORGOTTEN}'
          WHEN d.source_order > k.source_order AND (
            d.source_order >= {RELEASE_ORDER}
            OR d.source_order // {PER_SOURCE} > k.source_order // {PER_SOURCE}
          ) THEN '{STALE}'
          WHEN k.is_deleted THEN
            CASE WHEN d.is_deleted THEN '{SKIP}' ELSE '{DELETE}' END
          WHEN d.document_id IS NULL THEN '{NEW}'
          WHEN d.is_deleted OR a.document_id IS NULL THEN '{REPLACE}'
          WHEN d.metadata_hash != k.metadata_hash THEN '{METADATA}'
          ELSE '{SKIP}' END AS verdict,
          coalesce(NOT a.is_current, false) AS revives
        FROM slice_keys k
        LEFT JOIN documents d ON d.document_id = k.document_id
        LEFT JOIN document_annotations a
          ON a.document_id = k.document_id AND a.source_hash = k.source_hash
          AND d.source_hash = k.source_hash
          AND a.annotation_id = {literal(planning.annotation_id)}
          {"AND a.status = 'done'" if retry else ""}
        """
    )
    connection.execute(
        "INSERT INTO failed_before BY NAME SELECT k.seq, k.path, k.ordinal FROM slice_keys k "
        "JOIN document_annotations a ON a.document_id = k.document_id "
        "AND a.source_hash = k.source_hash AND a.annotation_id = ? AND a.status = 'rejected'",
        [planning.annotation_id],
    )
    connection.unregister("slice_keys")
    rows = connection.execute(
        f"SELECT seq FROM incoming WHERE slice = {slice_.number} "
        f"AND verdict IN ('{NEW}', '{REPLACE}', '{METADATA}', '{DELETE}') ORDER BY seq"
    ).fetchall()
    return [seq for (seq,) in rows]


def take_back(connection: Connection, seq: int) -> None:
    """Forget all records from ``seq`` on: their file turned out to be unreadable."""
    for name in ("incoming", "unreadable", "failed_before"):
        connection.execute(f"DELETE FROM {name} WHERE seq >= {seq}")


def decide(connection: Connection) -> None:
    """Of several versions of a document the one with the highest source_order counts."""
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE losers AS
        WITH repeated AS (
          SELECT document_id FROM incoming GROUP BY document_id HAVING count(*) > 1
        ), versions AS (
          SELECT seq, version, first_value(version) OVER latest_first AS winner,
                 row_number() OVER latest_first AS place
          FROM incoming SEMI JOIN repeated USING (document_id)
          WINDOW latest_first AS (PARTITION BY document_id ORDER BY source_order DESC, seq DESC)
        )
        SELECT seq, CASE WHEN version = winner THEN '{DUPLICATE}' ELSE '{SUPERSEDED}' END AS verdict
        FROM versions WHERE place > 1
        """
    )
    connection.execute(
        "UPDATE incoming SET verdict = losers.verdict FROM losers WHERE incoming.seq = losers.seq"
    )
    connection.execute("DROP TABLE losers")


def count(connection: Connection, *, read: int, unchanged: int) -> PlanCounts:
    """What was decided.

    Args:
        connection: the open warehouse, all records decided on.
        read: records in all sources.
        unchanged: those of them in files that were not parsed.
    """
    verdicts = dict(
        connection.execute("SELECT verdict, count(*) FROM incoming GROUP BY verdict").fetchall()
    )
    ((rejected,),) = connection.execute("SELECT count(*) FROM unreadable").fetchall()
    ((pruned,),) = connection.execute("SELECT count(*) FROM vanished").fetchall()
    return PlanCounts(
        read=read,
        skipped=unchanged + verdicts.get(SKIP, 0),
        duplicates=verdicts.get(DUPLICATE, 0),
        superseded=verdicts.get(SUPERSEDED, 0) + verdicts.get(STALE, 0),
        new=verdicts.get(NEW, 0),
        replaced=verdicts.get(REPLACE, 0),
        metadata_updated=verdicts.get(METADATA, 0),
        deleted=verdicts.get(DELETE, 0),
        rejected=rejected,
        forgotten=verdicts.get(FORGOTTEN, 0),
        pruned=pruned,
    )
