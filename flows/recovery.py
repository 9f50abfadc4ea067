"""What interrupted runs have left in the work folder."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from flows.handover import clear_storage
from flows.warehouse import runs
from flows.warehouse.connection import Connection
from flows.work import WorkFolder, is_intact, remove_tree


def remove_folders(work: WorkFolder, *, kept: Collection[str]) -> None:
    """Remove what runs have in the work folder and on shared storage, but for those to keep."""
    for folder in work.root.iterdir():
        if folder.is_dir() and folder.name not in kept and runs.is_run_id(folder.name):
            clear_storage(work, folder.name)
            remove_tree(folder)


def shards_are_there(connection: Connection, work: WorkFolder, run_id: str) -> bool:
    """Whether the files of a run's unfinished shards are in the work folder, unaltered.

    A row that names a file elsewhere is not followed: what it names would be read and removed.
    """
    return all(
        Path(shard.path) == work.shard(run_id, shard.number)
        and is_intact(Path(shard.path), shard.checksum)
        for shard in runs.planned_shards(connection, run_id)
    )
