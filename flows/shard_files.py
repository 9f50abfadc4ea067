"""Shard files: the chosen documents, cut by characters in the order they were read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.planning import Planning
from flows.slices import Slice
from flows.verdicts import ANNOTATED, REPLACE
from flows.work import file_sha256, make_private, remove_tree, write_durably, write_privately

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


def spooled(planning: Planning, slice_number: int) -> Path:
    """The file of the rows of a slice that may be needed."""
    return planning.work.spool(planning.run_id) / f"{slice_number:07d}.parquet"


def spool(planning: Planning, slice_: Slice, needed: list[int]) -> None:
    """Keep rows of a slice until shards are cut.

    Args:
        planning: the pass.
        slice_: the slice.
        needed: ``seq`` of the rows to keep.
    """
    if needed:
        frame = slice_.documents.filter(pl.col("seq").is_in(needed))
        write_privately(
            spooled(planning, slice_.number),
            lambda path: frame.write_parquet(path, compression="lz4"),
        )


def cut(planning: Planning, check: Callable[[], None]) -> Iterator[ShardFile]:
    """Write the chosen documents to shard files.

    Beside the columns of a slice they have ``replaces``, true where a version or an annotation set
    of the document is in the warehouse, and ``keeps_previous``, true where other annotation sets of
    the same text are to stay.

    Args:
        planning: the pass, all records decided on and spooled.
        check: called between slices; raises to stop.
    """
    work, run_id = planning.work, planning.run_id
    remove_tree(work.shards(run_id))
    make_private(work.shards(run_id))
    size = _shard_size(planning)
    number, parts, characters = 1, list[pl.DataFrame](), 0
    for frame in _chosen_frames(planning):
        check()
        start = 0
        for row, length in enumerate(frame["characters"].to_list()):
            if characters and characters + length > size:
                parts.append(frame.slice(start, row - start))
                yield _write(work.shard(run_id, number), number, parts)
                number, parts, characters, start = number + 1, [], 0, row
            characters += length
        parts.append(frame.slice(start))
    if any(len(part) for part in parts):
        yield _write(work.shard(run_id, number), number, parts)


def _shard_size(planning: Planning) -> int:
    """Characters per shard: as set, else by device, fewer where workers would be idle."""
    settings = planning.order.settings
    if settings.execution.shard_characters:
        return settings.execution.shard_characters
    largest = 20_000_000 if settings.uses_gpu else 1_000_000
    ((total,),) = planning.connection.execute(
        f"SELECT coalesce(sum(characters), 0) FROM incoming WHERE {ANNOTATED}"
    ).fetchall()
    even = -(-int(total) // (settings.workers * _SHARDS_PER_WORKER))
    # A small corpus still gives each worker a shard, if that is worth starting it.
    each = -(-int(total) // settings.workers)
    fewest = min(_FEWEST_CHARACTERS, max(_WORTH_A_WORKER, each))
    return min(largest, max(fewest, even))


def _chosen_frames(planning: Planning) -> Iterator[pl.DataFrame]:
    slices = planning.connection.execute(
        f"SELECT DISTINCT slice FROM incoming WHERE {ANNOTATED} ORDER BY slice"
    ).fetchall()
    for (slice_number,) in slices:
        rows = planning.connection.sql(
            f"SELECT seq, verdict = '{REPLACE}' AS replaces FROM incoming "
            f"WHERE {ANNOTATED} AND slice = {slice_number}"
        ).pl()
        frame = pl.read_parquet(spooled(planning, slice_number))
        rows = rows.with_columns(keeps_previous=pl.lit(planning.order.settings.keep_previous))
        yield frame.join(rows, on="seq").sort("seq").drop("seq")


def _write(path: Path, number: int, parts: list[pl.DataFrame]) -> ShardFile:
    frame = pl.concat(parts)
    write_durably(path, frame.write_parquet)
    return ShardFile(number, path, file_sha256(path), len(frame), int(frame["characters"].sum()))
