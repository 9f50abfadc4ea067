"""Shards that end their worker, taken apart until the document to blame stands alone."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from flows.annotate_worker import REJECT_SCHEMA
from flows.deidentifying import withheld
from flows.receipt import Receipt, stage
from flows.warehouse import runs
from flows.warehouse.connection import Connection
from flows.warehouse.runs import PlannedShard
from flows.work import WorkFolder, file_sha256, is_intact, write_durably
from flows.worker import damaged_shard
from nlp.schema import ANNOTATION_TABLES, DOCUMENTS
from nlp.settings import PrivacySettings


def pieces(documents: int, done: int) -> list[tuple[int, int]]:
    """Where to cut a shard that ended its worker: around the document at work, else in halves.

    Args:
        documents: documents in the shard, at least 2.
        done: documents that its worker had finished, one by one; -1 where nobody knows.

    Returns:
        Ranges of rows (from, to), in order, at least two, all together the shard.
    """
    cuts = [done, done + 1] if 0 <= done < documents else [documents // 2]
    bounds = sorted({0, *cuts, documents})
    return list(itertools.pairwise(bounds))


def cut(
    connection: Connection,
    work: WorkFolder,
    run_id: str,
    shard: PlannedShard,
    ranges: Sequence[tuple[int, int]],
) -> list[PlannedShard]:
    """Put shards of its parts in a shard's place: files first, then all rows in one transaction.

    A kill before the transaction leaves the shard as it was, one after it leaves its parts.

    Raises:
        ShardFailed: the shard's file is not what was planned.
    """
    path = Path(shard.path)
    if not is_intact(path, shard.checksum):
        raise damaged_shard(shard.number)
    frame = pl.read_parquet(path)
    first = runs.highest_shard(connection, run_id) + 1
    parts = []
    for number, (start, end) in enumerate(ranges, start=first):
        part = frame.slice(start, end - start)
        file = work.shard(run_id, number)
        write_durably(file, part.write_parquet)
        characters = int(part["characters"].sum())
        parts.append(PlannedShard(number, str(file), file_sha256(file), len(part), characters))
    runs.replace_shard(connection, run_id, shard, parts)
    path.unlink(missing_ok=True)
    return parts


def reject(
    work: WorkFolder, run_id: str, shard: PlannedShard, reason: str, privacy: PrivacySettings
) -> Receipt:
    """Stage a shard's documents as rejects, as a worker would that found nothing in them.

    Under privacy nobody has seen what is in them: they are stored without text.
    """
    documents = pl.read_parquet(shard.path)
    rejects = documents.with_columns(reason=pl.lit(reason)).select(list(REJECT_SCHEMA))
    frames = {table.name: table.empty() for table in ANNOTATION_TABLES}
    if privacy.is_on:
        frames[DOCUMENTS.name] = withheld(documents, privacy)
    frames["rejects"] = rejects.cast(pl.Schema(REJECT_SCHEMA))
    return stage(work.staged(run_id), shard.number, frames, {"preprocess": 0.0, "ner": 0.0})
