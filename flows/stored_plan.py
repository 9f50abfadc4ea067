"""The stored plan: all that planning changes in the warehouse, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import polars as pl

from flows.counts import PlanCounts
from flows.incoming import PER_SOURCE, WHOLE_FILE
from flows.planning import Planning
from flows.shard_files import ShardFile, spooled
from flows.sources import GONE, SourceState, sources_frame
from flows.verdicts import DELETE, METADATA, SKIP
from flows.warehouse.connection import Connection, transaction
from flows.warehouse.ddl import column_list, parquet
from flows.warehouse.generated import follow_persons, items_about, remove_items
from flows.warehouse.privacy import remember_privacy
from nlp.schema import ANNOTATION_TABLES, DOCUMENTS

ABOUT_DOCUMENTS = (
    *(table.name for table in ANNOTATION_TABLES),
    "mention_links",
    "document_annotations",
    "rejects",
)
"""Tables of what was found out about documents: their rows go when a document goes."""


def store_plan(
    planning: Planning,
    states: Sequence[SourceState],
    touched: Sequence[SourceState],
    shards: Sequence[ShardFile],
    counts: PlanCounts,
    seconds: float,
) -> None:
    """Store sources, shards, counts, withdrawn documents, changed metadata and rejects.

    Args:
        planning: the pass, all records decided on.
        states: the sources that were read.
        touched: sources that were not, though their time is another one.
        shards: the shard files, written.
        counts: what was decided.
        seconds: wall seconds that planning took.
    """
    with transaction(planning.connection):
        remember_privacy(planning.connection, planning.order.settings.privacy)
        _store_sources(planning, states)
        _store_times(planning.connection, touched)
        _raise_orders(planning.connection)
        _store_deletions(planning)
        _prune(planning.connection)
        _replace_documents(planning, METADATA)
        follow_persons(
            planning.connection,
            f"SELECT document_id FROM incoming WHERE verdict = '{METADATA}'",
        )
        _make_current(planning)
        _move_rejects(planning)
        _store_rejects(planning, states)
        for shard in shards:
            planning.connection.execute(
                "INSERT INTO shards (shard_id, run_id, path, checksum, status, documents, "
                "characters) VALUES (?, ?, ?, ?, 'planned', ?, ?)",
                [
                    f"{planning.run_id}:{shard.number:05d}",
                    planning.run_id,
                    str(shard.path),
                    shard.checksum,
                    shard.documents,
                    shard.characters,
                ],
            )
        found = asdict(counts)
        planning.connection.execute(
            f"UPDATE runs SET {', '.join(f'{name} = ?' for name in found)}, "
            "seconds = {plan: ?, annotate: 0, link: 0, total: ?, derive: 0, quality: 0} "
            "WHERE run_id = ?",
            [*found.values(), seconds, seconds, planning.run_id],
        )


def _store_sources(planning: Planning, states: Sequence[SourceState]) -> None:
    frame = sources_frame(states, planning.annotation_id, planning.run_id)
    if len(frame):
        planning.connection.register("sources_read", frame.to_arrow())
        planning.connection.execute(
            "INSERT OR REPLACE INTO sources BY NAME SELECT * FROM sources_read"
        )
        planning.connection.unregister("sources_read")


def _store_times(connection: Connection, touched: Sequence[SourceState]) -> None:
    """Know files by their new time, so that their content need not be compared again."""
    times = {
        "path": [state.file.name for state in touched],
        "mtime": [state.stamp.mtime for state in touched],
        "etag": [state.stamp.etag for state in touched],
    }
    schema = {"path": pl.String, "mtime": pl.Int64, "etag": pl.String}
    connection.register("times", pl.DataFrame(times, schema=schema).to_arrow())
    connection.execute(
        "UPDATE sources SET mtime = times.mtime, etag = times.etag FROM times "
        "WHERE sources.path = times.path"
    )
    connection.unregister("times")


def _raise_orders(connection: Connection) -> None:
    """A later file that repeats what is known makes it the later version.

    Otherwise a version that came between the two, read last, would win. Within one file the
    position alone changes nothing.
    """
    connection.execute(
        f"UPDATE documents SET source_order = w.source_order FROM incoming w "
        f"WHERE w.verdict = '{SKIP}' AND documents.document_id = w.document_id "
        f"AND w.source_order // {PER_SOURCE} > documents.source_order // {PER_SOURCE}"
    )


def _store_deletions(planning: Planning) -> None:
    """Remove withdrawn documents everywhere and leave a tombstone of each."""
    withdrawn = f"SELECT document_id FROM incoming WHERE verdict = '{DELETE}'"
    remove_items(planning.connection, items_about(withdrawn))
    for table in ABOUT_DOCUMENTS:
        planning.connection.execute(f"DELETE FROM {table} WHERE document_id IN ({withdrawn})")
    _replace_documents(planning, DELETE)


def _prune(connection: Connection) -> None:
    """Remove documents that vanished, without a tombstone: a source may bring them back."""
    remove_items(connection, items_about("SELECT document_id FROM vanished"))
    for table in (*ABOUT_DOCUMENTS, DOCUMENTS.name):
        connection.execute(
            f"DELETE FROM {table} WHERE document_id IN (SELECT document_id FROM vanished)"
        )
    connection.execute(
        f"UPDATE sources SET status = '{GONE}' WHERE path IN (SELECT path FROM gone)"
    )
    connection.execute(
        "DELETE FROM rejects WHERE stage = 'read' AND path IN (SELECT path FROM gone)"
    )


def _replace_documents(planning: Planning, verdict: str) -> None:
    """Replace rows of ``documents`` alone, slice by slice from the spool."""
    connection = planning.connection
    slices = connection.execute(
        f"SELECT DISTINCT slice FROM incoming WHERE verdict = '{verdict}' ORDER BY slice"
    ).fetchall()
    for (slice_number,) in slices:
        rows = f"FROM incoming WHERE verdict = '{verdict}' AND slice = {slice_number}"
        connection.execute(
            f"DELETE FROM documents WHERE document_id IN (SELECT document_id {rows})"
        )
        connection.execute(
            f"INSERT INTO documents BY NAME SELECT {column_list(DOCUMENTS)} "
            f"FROM {parquet(spooled(planning, slice_number))} WHERE seq IN (SELECT seq {rows})"
        )


def _make_current(planning: Planning) -> None:
    """Show the run's annotation set where it was kept beside another one."""
    planning.connection.execute(
        "UPDATE document_annotations SET is_current = (annotation_id = ?) WHERE document_id IN "
        f"(SELECT document_id FROM incoming WHERE revives AND verdict IN ('{SKIP}', '{METADATA}'))",
        [planning.annotation_id],
    )


def _move_rejects(planning: Planning) -> None:
    """Let rejects that stay name the record that counts now: it may stand elsewhere than before."""
    connection = planning.connection
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE moved AS
        SELECT r.* REPLACE (f.path AS path, f.ordinal AS ordinal)
        FROM rejects r JOIN incoming i ON i.document_id = r.document_id
        JOIN failed_before f ON f.seq = i.seq
        WHERE r.stage = 'annotate' AND r.annotation_id = ?
          AND i.verdict IN ('{SKIP}', '{METADATA}')
          AND (r.path != f.path OR r.ordinal != f.ordinal)
        """,
        [planning.annotation_id],
    )
    connection.execute(
        "DELETE FROM rejects WHERE stage = 'annotate' AND annotation_id = ? "
        "AND document_id IN (SELECT document_id FROM moved)",
        [planning.annotation_id],
    )
    connection.execute("INSERT OR REPLACE INTO rejects BY NAME SELECT * FROM moved")
    connection.execute("DROP TABLE moved")


def _store_rejects(planning: Planning, states: Sequence[SourceState]) -> None:
    """Replace what is known of unreadable records in the sources that were read now.

    A record that was rejected for the same reason before keeps the run that said so first,
    unless it was to be tried again: only new rejects are this run's. Of a file that could not
    be read the rejects of its last reading stay, as its documents do.
    """
    connection = planning.connection
    read = [state.file.name for state in states]
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE known_rejects AS
        SELECT path, ordinal, reason, run_id FROM rejects
        WHERE stage = 'read' AND annotation_id = $annotation AND list_contains($read, path)
          AND (ordinal = {WHOLE_FILE}
               OR path NOT IN (SELECT path FROM unreadable WHERE ordinal = {WHOLE_FILE}))
        """,
        {"annotation": planning.annotation_id, "read": read},
    )
    connection.execute(
        "DELETE FROM rejects WHERE annotation_id = ? AND stage = 'read' "
        "AND (path, ordinal) IN (SELECT (path, ordinal) FROM known_rejects)",
        [planning.annotation_id],
    )
    known = "false" if planning.order.settings.source.retry_rejects else "r.status = 'done'"
    connection.execute(
        f"""
        INSERT OR REPLACE INTO rejects BY NAME
        SELECT u.path, u.ordinal, u.reason, $annotation AS annotation_id, 'read' AS stage,
               CASE WHEN {known} THEN k.run_id ELSE $run END AS run_id
        FROM unreadable u
        LEFT JOIN known_rejects k USING (path, ordinal, reason)
        LEFT JOIN runs r ON r.run_id = k.run_id
        """,
        {"annotation": planning.annotation_id, "run": planning.run_id},
    )
    connection.execute("DROP TABLE known_rejects")
