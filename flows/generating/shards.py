"""Shard files of generation: items in the order in which their task gave them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from flows.settings import Settings
from flows.shard_files import ShardFile
from flows.work import WorkFolder, file_sha256, make_private, remove_tree, write_durably

CHARACTERS, CHARACTERS_ON_GPU = 200_000, 2_000_000
ITEMS, ITEMS_ON_GPU = 256, 2_048
"""A shard has so much at most. A model takes minutes for it on CPU: that much a kill costs."""

_SHARDS_PER_WORKER = 4
_FEWEST_ITEMS = 32
"""A batch of a model; fewer in a shard would leave it half empty."""


def cut_items(
    frames: Iterable[pl.DataFrame], work: WorkFolder, run_id: str, characters: int, items: int
) -> Iterator[ShardFile]:
    """Write items to shard files.

    Args:
        frames: rows of ``ITEM_SCHEMA`` and ``replaces``.
        work: the warehouse's work folder.
        run_id: the run.
        characters: of a shard at most, unless one item has more.
        items: of a shard at most.
    """
    remove_tree(work.shards(run_id))
    make_private(work.shards(run_id))
    number, parts, size, rows = 1, list[pl.DataFrame](), 0, 0
    for frame in frames:
        start = 0
        for row, length in enumerate(frame["characters"].to_list()):
            if rows and (size + length > characters or rows >= items):
                parts.append(frame.slice(start, row - start))
                yield _write(work, run_id, number, parts)
                number, parts, size, rows, start = number + 1, [], 0, 0, row
            size, rows = size + length, rows + 1
        parts.append(frame.slice(start))
    if rows:
        yield _write(work, run_id, number, parts)


def shard_size(settings: Settings, items: int) -> tuple[int, int]:
    """Characters and items of a shard at most, fewer where workers would be idle."""
    on_gpu = generates_on_gpu(settings)
    characters = CHARACTERS_ON_GPU if on_gpu else CHARACTERS
    most = ITEMS_ON_GPU if on_gpu else ITEMS
    if settings.workers > 1:
        even = -(-items // (settings.workers * _SHARDS_PER_WORKER))
        most = min(most, max(_FEWEST_ITEMS, even))
    return settings.execution.shard_characters or characters, most


def generates_on_gpu(settings: Settings) -> bool:
    """Whether the language model will run on an NVIDIA GPU."""
    ner = settings.ner.model_copy(update={"device": settings.generation.device})
    return settings.model_copy(update={"ner": ner}).uses_gpu


def _write(work: WorkFolder, run_id: str, number: int, parts: list[pl.DataFrame]) -> ShardFile:
    path, frame = work.shard(run_id, number), pl.concat(parts)
    write_durably(path, frame.write_parquet)
    return ShardFile(number, path, file_sha256(path), len(frame), int(frame["characters"].sum()))
