"""Planning: what is new, changed, withdrawn or done, cut into shard files before any NER.

Nothing reaches the warehouse before the one transaction at the end: a plan is stored whole or
not at all, and an interrupted plan is simply made again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.incoming import (
    PER_SOURCE,
    REJECT_SCHEMA,
    RELEASE_ORDER,
    Incoming,
    read_incoming,
)
from flows.order import Order
from flows.sources import SourceState, known_sources, sources_frame
from flows.warehouse.connection import Connection, transaction
from flows.warehouse.ddl import column_list, literal, parquet
from flows.warehouse.tombstones import is_forgotten
from flows.work import WorkFolder, file_sha256, make_private, remove_tree, write_durably
from nlp.schema import ANNOTATION_TABLES, DOCUMENTS

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
to do because it must stay forgotten."""

_KEYS = ["document_id", "source_order", "source_hash", "metadata_hash", "characters"]
_FEWEST_CHARACTERS = 250_000
"""A shard of less would spend more than a percent of its time on orchestration."""

_WORTH_A_WORKER = 50_000
"""Annotating fewer characters takes less time than a worker's start."""

_SHARDS_PER_WORKER = 4


@dataclass(frozen=True)
class ShardFile:
    """A planned shard: its number from 1, file, checksum and size."""

    number: int
    path: Path
    checksum: str
    documents: int
    characters: int


@dataclass(frozen=True)
class PlanCounts:
    """What planning found; the columns of ``runs``."""

    read: int
    skipped: int
    duplicates: int
    superseded: int
    new: int
    replaced: int
    metadata_updated: int
    deleted: int
    rejected: int
    forgotten: int = 0


@dataclass(frozen=True)
class Preview:
    """What a run would do: counts and the characters to annotate."""

    counts: PlanCounts
    documents: int
    characters: int


class Planner:
    """One planning pass over an order's sources, held in temporary tables of the warehouse."""

    def __init__(
        self,
        connection: Connection,
        order: Order,
        work: WorkFolder,
        run_id: str,
        *,
        check: Callable[[], None] = lambda: None,
        progress: Callable[[int], None] = lambda records: None,
    ) -> None:
        """Prepare a plan.

        Args:
            connection: the open warehouse.
            order: what to do.
            work: the warehouse's work folder.
            run_id: the run that plans.
            check: called between slices; raises to stop.
            progress: receives the number of records read so far.
        """
        self._connection = connection
        self._order = order
        self._work = work
        self._run_id = run_id
        self._check = check
        self._progress = progress
        self._annotation_id = order.annotation.annotation_id
        self._rejects: list[pl.DataFrame] = []
        self._states: list[SourceState] = []
        self._unchanged = 0

    def read(self, *, spool: bool = True) -> PlanCounts:
        """Read all sources, keep what may need work in the spool, and decide on every record.

        Args:
            spool: keep texts; a dry run does without.

        Raises:
            SourceError: a source cannot be read; nothing has been written to the warehouse.
        """
        folder = self._work.spool(self._run_id)
        remove_tree(folder)
        if spool:
            make_private(folder)
        self._create_tables()
        records, slices = 0, itertools.count()
        limit = self._order.settings.source.limit
        for state in known_sources(self._connection, self._order):
            left = None if limit is None else limit - records
            if left is not None and left <= 0:
                break
            if state.unchanged and (left is None or state.documents <= left):
                self._unchanged += state.documents
                records += state.documents
                continue
            read_here = 0
            for incoming in read_incoming(state.file, state.number, left):
                self._check()
                self._take(incoming, next(slices), folder if spool else None)
                read_here += incoming.records
                self._progress(records + read_here)
            records += read_here
            self._states.append(state.after_reading(read_here, cut=read_here == left))
        self._decide()
        return self._counts(records)

    def preview(self) -> Preview:
        """What a run would do, without texts or files."""
        counts = self.read(spool=False)
        ((documents, characters),) = self._connection.execute(
            "SELECT count(*), coalesce(sum(characters), 0) FROM chosen"
        ).fetchall()
        self._drop_tables()
        return Preview(counts, documents, characters)

    def commit(self, counts: PlanCounts, seconds: float) -> list[ShardFile]:
        """Cut the shards and store the plan in one transaction."""
        shards = list(self._cut())
        with transaction(self._connection):
            self._store_sources()
            self._raise_orders()
            self._store_deletions()
            self._store_metadata()
            self._store_rejects()
            for shard in shards:
                self._connection.execute(
                    "INSERT INTO shards (shard_id, run_id, path, checksum, status, documents, "
                    "characters) VALUES (?, ?, ?, ?, 'planned', ?, ?)",
                    [
                        f"{self._run_id}:{shard.number:05d}",
                        self._run_id,
                        str(shard.path),
                        shard.checksum,
                        shard.documents,
                        shard.characters,
                    ],
                )
            self._connection.execute(
                "UPDATE runs SET read = ?, skipped = ?, duplicates = ?, superseded = ?, new = ?, "
                "replaced = ?, metadata_updated = ?, deleted = ?, rejected = ?, forgotten = ?, "
                "seconds = {plan: ?, annotate: 0, link: 0, total: ?} WHERE run_id = ?",
                [
                    counts.read,
                    counts.skipped,
                    counts.duplicates,
                    counts.superseded,
                    counts.new,
                    counts.replaced,
                    counts.metadata_updated,
                    counts.deleted,
                    counts.rejected,
                    counts.forgotten,
                    seconds,
                    seconds,
                    self._run_id,
                ],
            )
        self._drop_tables()
        remove_tree(self._work.spool(self._run_id))
        return shards

    def _create_tables(self) -> None:
        self._connection.execute(
            "CREATE OR REPLACE TEMP TABLE incoming (seq BIGINT, slice INTEGER, row INTEGER, "
            "document_id VARCHAR, source_order BIGINT, source_hash VARCHAR, "
            "metadata_hash VARCHAR, characters BIGINT, verdict VARCHAR)"
        )

    def _drop_tables(self) -> None:
        """Free what planning held: workers need the memory."""
        for name in ("incoming", "winners", "chosen"):
            self._connection.execute(f"DROP TABLE {name}")

    def _take(self, incoming: Incoming, slice_number: int, folder: Path | None) -> None:
        """Judge a slice against the warehouse; spool the rows whose columns may be needed."""
        if len(incoming.rejects):
            self._rejects.append(incoming.rejects)
        if not len(incoming.documents):
            return
        keys = incoming.documents.select(*_KEYS, "is_deleted", "person_id").with_row_index("row")
        retry = self._order.settings.source.retry_rejects
        self._connection.register("slice_keys", keys.to_arrow())
        verdicts = self._connection.sql(
            f"""
            SELECT k.row, CASE
              WHEN {is_forgotten(self._connection, "k")} THEN '{FORGOTTEN}'
              WHEN d.source_order > k.source_order AND (
                d.source_order >= {RELEASE_ORDER}
                OR d.source_order // {PER_SOURCE} > k.source_order // {PER_SOURCE}
              ) THEN '{STALE}'
              WHEN k.is_deleted THEN
                CASE WHEN d.is_deleted THEN '{SKIP}' ELSE '{DELETE}' END
              WHEN d.document_id IS NULL THEN '{NEW}'
              WHEN d.is_deleted OR a.document_id IS NULL THEN '{REPLACE}'
              WHEN d.metadata_hash != k.metadata_hash THEN '{METADATA}'
              ELSE '{SKIP}' END AS verdict
            FROM slice_keys k
            LEFT JOIN documents d ON d.document_id = k.document_id
            LEFT JOIN document_annotations a
              ON a.document_id = k.document_id AND a.source_hash = k.source_hash
              AND d.source_hash = k.source_hash
              AND a.annotation_id = {literal(self._annotation_id)}
              {"AND a.status = 'done'" if retry else ""}
            """
        ).pl()
        self._connection.unregister("slice_keys")
        judged = (
            keys.join(verdicts, on="row")
            .sort("row")
            .with_columns(slice=pl.lit(slice_number), seq=pl.col("row") + slice_number * 10**7)
        )
        self._connection.register("judged", judged.to_arrow())
        self._connection.execute(
            "INSERT INTO incoming SELECT seq, slice, row, document_id, source_order, "
            "source_hash, metadata_hash, characters, verdict FROM judged"
        )
        self._connection.unregister("judged")
        if folder is not None:
            needed = judged.filter(pl.col("verdict").is_in([NEW, REPLACE, METADATA, DELETE]))
            frame = incoming.documents.with_row_index("row").join(
                needed.select("row"), on="row", how="semi"
            )
            if len(frame):
                frame.sort("row").write_parquet(_spooled(folder, slice_number), compression="lz4")

    def _decide(self) -> None:
        """Of several versions of a document the one with the highest source_order counts."""
        self._connection.execute(
            """
            CREATE OR REPLACE TEMP TABLE winners AS
            SELECT * FROM incoming
            QUALIFY row_number() OVER (
              PARTITION BY document_id ORDER BY source_order DESC, seq DESC) = 1
            """
        )
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE chosen AS SELECT * FROM winners "
            f"WHERE verdict IN ('{NEW}', '{REPLACE}') ORDER BY seq"
        )

    def _counts(self, records: int) -> PlanCounts:
        verdicts = dict(
            self._connection.execute(
                "SELECT verdict, count(*) FROM winners GROUP BY verdict"
            ).fetchall()
        )
        ((duplicates, superseded),) = self._connection.execute(
            """
            SELECT count(*) FILTER (i.source_hash = w.source_hash
                                    AND i.metadata_hash = w.metadata_hash),
                   count(*) FILTER (i.source_hash != w.source_hash
                                    OR i.metadata_hash != w.metadata_hash)
            FROM incoming i JOIN winners w USING (document_id) WHERE i.seq != w.seq
            """
        ).fetchall()
        return PlanCounts(
            read=records,
            skipped=self._unchanged + verdicts.get(SKIP, 0),
            duplicates=duplicates,
            superseded=superseded + verdicts.get(STALE, 0),
            new=verdicts.get(NEW, 0),
            replaced=verdicts.get(REPLACE, 0),
            metadata_updated=verdicts.get(METADATA, 0),
            deleted=verdicts.get(DELETE, 0),
            rejected=sum(len(frame) for frame in self._rejects),
            forgotten=verdicts.get(FORGOTTEN, 0),
        )

    def _shard_size(self) -> int:
        """Characters per shard: as set, else by device, fewer where workers would be idle."""
        settings = self._order.settings
        if settings.execution.shard_characters:
            return settings.execution.shard_characters
        largest = 20_000_000 if settings.uses_gpu else 1_000_000
        ((total,),) = self._connection.execute(
            "SELECT coalesce(sum(characters), 0) FROM chosen"
        ).fetchall()
        even = -(-int(total) // (settings.workers * _SHARDS_PER_WORKER))
        # A small corpus still gives each worker a shard, if that is worth starting it.
        each = -(-int(total) // settings.workers)
        fewest = min(_FEWEST_CHARACTERS, max(_WORTH_A_WORKER, each))
        return min(largest, max(fewest, even))

    def _cut(self) -> Iterator[ShardFile]:
        """Write the chosen documents to shard files, in the order they were read."""
        folder = self._work.shards(self._run_id)
        remove_tree(folder)
        make_private(folder)
        size = self._shard_size()
        number, parts, characters = 1, list[pl.DataFrame](), 0
        for frame in self._chosen_frames():
            self._check()
            start = 0
            for row, length in enumerate(frame["characters"].to_list()):
                if characters and characters + length > size:
                    parts.append(frame.slice(start, row - start))
                    yield _write_shard(self._work.shard(self._run_id, number), number, parts)
                    number, parts, characters, start = number + 1, [], 0, row
                characters += length
            parts.append(frame.slice(start))
        if any(len(part) for part in parts):
            yield _write_shard(self._work.shard(self._run_id, number), number, parts)

    def _chosen_frames(self) -> Iterator[pl.DataFrame]:
        spool = self._work.spool(self._run_id)
        slices = self._connection.execute(
            "SELECT DISTINCT slice FROM chosen ORDER BY slice"
        ).fetchall()
        for (slice_number,) in slices:
            rows = self._connection.sql(
                f"SELECT row, verdict = '{REPLACE}' AS replaces FROM chosen "
                f"WHERE slice = {slice_number}"
            ).pl()
            frame = pl.read_parquet(_spooled(spool, slice_number))
            rows = rows.with_columns(pl.col("row").cast(frame.schema["row"]))
            yield frame.join(rows, on="row").sort("row").drop("row")

    def _store_sources(self) -> None:
        frame = sources_frame(self._states, self._annotation_id, self._run_id)
        self._insert_or_replace("sources", frame)

    def _insert_or_replace(self, table: str, frame: pl.DataFrame) -> None:
        if not len(frame):
            return
        self._connection.register("rows_to_keep", frame.to_arrow())
        self._connection.execute(
            f"INSERT OR REPLACE INTO {table} BY NAME SELECT * FROM rows_to_keep"
        )
        self._connection.unregister("rows_to_keep")

    def _raise_orders(self) -> None:
        """A later file that repeats what is known makes it the later version.

        Otherwise a version that came between the two, read last, would win. Within one file the
        position alone changes nothing.
        """
        self._connection.execute(
            f"UPDATE documents SET source_order = w.source_order FROM winners w "
            f"WHERE w.verdict = '{SKIP}' AND documents.document_id = w.document_id "
            f"AND w.source_order // {PER_SOURCE} > documents.source_order // {PER_SOURCE}"
        )

    def _store_deletions(self) -> None:
        """Remove withdrawn documents everywhere and leave a tombstone of each."""
        for table in (
            *(t.name for t in ANNOTATION_TABLES),
            "mention_links",
            "document_annotations",
            "rejects",
        ):
            self._connection.execute(
                f"DELETE FROM {table} WHERE document_id IN "
                f"(SELECT document_id FROM winners WHERE verdict = '{DELETE}')"
            )
        self._replace_documents(DELETE)

    def _store_metadata(self) -> None:
        self._replace_documents(METADATA)

    def _replace_documents(self, verdict: str) -> None:
        chosen = self._connection.execute(
            f"SELECT DISTINCT slice FROM winners WHERE verdict = '{verdict}' ORDER BY slice"
        ).fetchall()
        for (slice_number,) in chosen:
            spooled = parquet(_spooled(self._work.spool(self._run_id), slice_number))
            rows = f"FROM winners WHERE verdict = '{verdict}' AND slice = {slice_number}"
            self._connection.execute(
                f"DELETE FROM documents WHERE document_id IN (SELECT document_id {rows})"
            )
            self._connection.execute(
                f"INSERT INTO documents BY NAME SELECT {column_list(DOCUMENTS)} "
                f"FROM {spooled} WHERE row IN (SELECT row {rows})"
            )

    def _store_rejects(self) -> None:
        """Replace what is known of unreadable records in the sources that were read now.

        A record that was rejected for the same reason before keeps the run that said so first,
        unless it was to be tried again: only new rejects are this run's.
        """
        read = [str(state.file.path) for state in self._states]
        which = "stage = 'read' AND annotation_id = ? AND list_contains(?, path)"
        before = self._connection.sql(
            f"SELECT path, ordinal, reason, run_id FROM rejects WHERE {which} "
            "AND run_id IN (SELECT run_id FROM runs WHERE status = 'done')",
            params=[self._annotation_id, read],
        ).pl()
        if self._order.settings.source.retry_rejects:
            before = before.clear()
        self._connection.execute(f"DELETE FROM rejects WHERE {which}", [self._annotation_id, read])
        rejects = pl.concat([pl.DataFrame(schema=REJECT_SCHEMA), *self._rejects])
        frame = rejects.join(before, on=["path", "ordinal", "reason"], how="left").with_columns(
            annotation_id=pl.lit(self._annotation_id),
            stage=pl.lit("read"),
            run_id=pl.col("run_id").fill_null(self._run_id),
        )
        self._insert_or_replace("rejects", frame)


def _spooled(folder: Path, slice_number: int) -> Path:
    return folder / f"{slice_number:07d}.parquet"


def _write_shard(path: Path, number: int, parts: list[pl.DataFrame]) -> ShardFile:
    frame = pl.concat(parts)
    write_durably(path, frame.write_parquet)
    return ShardFile(number, path, file_sha256(path), len(frame), int(frame["characters"].sum()))
