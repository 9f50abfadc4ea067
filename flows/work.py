"""The work folder beside a warehouse: plans, shard files, staged output, status.

``W.duckdb`` has ``W.duckdb.work``. Nothing in it is needed once a run is done; all of it may hold
clinical text, so it is readable by its owner only.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.errors import CharthouseError

_SUFFIX = ".work"


@dataclass(frozen=True)
class WorkFolder:
    """Paths of one warehouse's work folder."""

    root: Path

    @classmethod
    def beside(cls, warehouse: Path) -> WorkFolder:
        """The work folder of a warehouse."""
        return cls(warehouse.with_name(warehouse.name + _SUFFIX))

    def run(self, run_id: str) -> Path:
        """Folder of one run.

        Raises:
            CharthouseError: the id is no name of a folder here. Ids are read from the warehouse,
                and what they name is written to and removed.
        """
        if Path(run_id).name != run_id or run_id in {"", ".."}:
            raise CharthouseError(
                "a run in the warehouse has an id that is none", "Somebody has changed its tables"
            )
        return self.root / run_id

    def shards(self, run_id: str) -> Path:
        """Folder of a run's shard files."""
        return self.run(run_id) / "shards"

    def shard(self, run_id: str, number: int) -> Path:
        """The file of one shard."""
        return self.shards(run_id) / f"{number:05d}.parquet"

    def spool(self, run_id: str) -> Path:
        """Folder of what planning has read and not yet cut into shards."""
        return self.run(run_id) / "spool"

    def staged(self, run_id: str) -> Path:
        """Folder of annotated shards that wait for the writer."""
        return self.run(run_id) / "staged"

    def linked(self, run_id: str) -> Path:
        """Folder of linked names that wait for the writer."""
        return self.run(run_id) / "linked"

    def progress(self, run_id: str) -> Path:
        """Folder of one small counter file per shard at work."""
        return self.run(run_id) / "progress"

    def counter(self, run_id: str, number: int) -> Path:
        """The file that holds how many documents of a shard its worker has done."""
        return self.progress(run_id) / f"{number:05d}"

    def stalled(self, run_id: str, number: int) -> Path:
        """The file that says where in the code a worker hung with a shard; else empty or gone."""
        return self.progress(run_id) / f"{number:05d}.stalled"

    @property
    def flow_runs(self) -> Path:
        """Folder of empty files, named by the ids of Prefect flow runs at work."""
        return self.root / "flow-runs"

    @property
    def order(self) -> Path:
        """The settings and sources of the run at work; task parameters name only this file."""
        return self.root / "order.json"

    @property
    def status(self) -> Path:
        """What ``charthouse status`` reads while the warehouse is locked; holds no text."""
        return self.root / "status.json"


def is_work_folder(folder: Path) -> bool:
    """Whether a folder is the work folder of a warehouse beside it."""
    return folder.suffix == _SUFFIX and folder.with_suffix("").is_file()


def make_private(folder: Path) -> Path:
    """Create a folder that only its owner can enter, with its parents where they are missing."""
    for missing in reversed([f for f in (folder, *folder.parents) if not f.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    return folder


def write_privately(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file that never, not even while it grows, is readable by others than its owner."""
    path.touch(mode=0o600)
    write(path)
    path.chmod(0o600)  # where one of other rights was there, or ``write`` put another in its place


def write_durably(path: Path, write: Callable[[Path], object], *, private: bool = True) -> None:
    """Write a file so that it is there whole or not at all, whatever happens.

    ``write`` receives a temporary name beside ``path``; what it wrote is synced to disk, renamed,
    and the folder synced. A private file is readable by its owner only.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        if private:
            write_privately(temporary, write)
        else:
            write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    """Write JSON durably."""
    write_durably(path, lambda temporary: _dump(temporary, value))


def _dump(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_intact(path: Path, checksum: str) -> bool:
    """Whether a file is there and has the SHA-256 it was written with."""
    return path.is_file() and file_sha256(path) == checksum


def remove_tree(folder: Path) -> None:
    """Remove a folder and all in it; nothing where it is not there."""
    shutil.rmtree(folder, ignore_errors=True)
