"""What a worker stages of a shard of generation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from flows.generating.schema import GENERATION_SOURCES, GENERATIONS
from flows.generating.task import Produced
from flows.receipt import Receipt, stage
from flows.worker import ShardFailed
from nlp.relations.schema import RELATIONS

TABLES = (GENERATIONS, GENERATION_SOURCES, RELATIONS)
"""Tables that a task may write rows of."""

REJECT_SCHEMA = {"item_id": pl.String, "document_id": pl.String, "reason": pl.String}


def stage_produced(
    staged: Path, shard: int, items: pl.DataFrame, produced: Produced, *, texts: bool
) -> Receipt:
    """Stage what came of a shard's items.

    Args:
        staged: the folder for it.
        shard: the shard's number.
        items: what the task was given.
        produced: what it gave back.
        texts: whether every item that is no reject has a text.

    Raises:
        ShardFailed: the task has lost an item, or made one up.
    """
    frames = {
        table.name: table.conform(produced.frames.get(table.name, table.empty()))
        for table in TABLES
    }
    reasons = dict(produced.rejects)
    rejects = (
        items.select("item_id", "document_id")
        .with_row_index("row")
        .with_columns(
            reason=pl.col("row").replace_strict(reasons, default=None, return_dtype=pl.String)
            if reasons
            else pl.lit(None, pl.String)
        )
    )
    rejects = rejects.filter(pl.col("reason").is_not_null()).drop("row")
    _check(items, frames, rejects, texts=texts)
    frames["rejects"] = rejects.cast(pl.Schema(REJECT_SCHEMA))
    return stage(staged, shard, frames, {"generate": produced.seconds})


def stage_rejects(staged: Path, shard: int, path: str, reason: str) -> Receipt:
    """Stage all items of a shard file as rejects."""
    items = pl.read_parquet(path)
    rejects = [(row, reason) for row in range(len(items))]
    return stage_produced(staged, shard, items, Produced({}, rejects, 0.0), texts=True)


def joined(parts: Sequence[Produced], firsts: Sequence[int]) -> Produced:
    """Output of parts of a shard as that of the whole; ``firsts`` are their first rows."""
    frames: Mapping[str, pl.DataFrame] = {
        table.name: pl.concat(
            [table.conform(part.frames.get(table.name, table.empty())) for part in parts]
        )
        for table in TABLES
    }
    rejects = [
        (first + row, reason)
        for part, first in zip(parts, firsts, strict=True)
        for row, reason in part.rejects
    ]
    return Produced(frames, rejects, sum(part.seconds for part in parts))


def _check(
    items: pl.DataFrame, frames: Mapping[str, pl.DataFrame], rejects: pl.DataFrame, *, texts: bool
) -> None:
    """Every row belongs to an item that is no reject; every text that is owed is there once."""
    done = set(items["item_id"]) - set(rejects["item_id"])
    written = frames[GENERATIONS.name]["item_id"].to_list()
    if (
        len(set(written)) != len(written)
        or not set(written) <= done
        or (texts and set(written) != done)
        or not set(frames[GENERATION_SOURCES.name]["item_id"]) <= done
        or not set(frames[RELATIONS.name]["document_id"]) <= done
    ):
        raise ShardFailed("the task's output does not belong to the items that it was given")
