"""A worker's side of shared storage: where a task finds its input and leaves its output."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from flows.errors import CharthouseError
from flows.receipt import RECEIPT, Receipt, write_receipt
from flows.storage import Storage, is_url
from flows.work import WorkFolder, remove_tree

_PREFIX = "charthouse-worker-"
_LOCK = "lock"


def order_key(run_id: str) -> str:
    """Where a run's order is on shared storage."""
    return f"{run_id}/order.json"


class GivenUp(CharthouseError):
    """The run has ended without this task: what it made is nobody's."""


@dataclass(frozen=True)
class Workplace:
    """A work folder to compute in, and the shared storage that it mirrors a part of, if any."""

    work: WorkFolder
    run_id: str
    storage: Storage | None

    def fetch(self, path: Path, checksum: str) -> None:
        """Bring an input file here. The work folder itself has it already."""
        if self.storage is not None:
            self.storage.get(self._key(path), path, checksum)

    def hand_back(self, receipt: Receipt) -> Receipt:
        """Put staged output on shared storage, its receipt last.

        Raises:
            GivenUp: the run has removed its order meanwhile; what was put there is removed.
        """
        if self.storage is None:
            return receipt
        folder = self._key(receipt.path)
        there = replace(receipt, folder=folder)
        try:
            for name in receipt.checksums:
                self.storage.put(receipt.path / name, f"{folder}/{name}")
            write_receipt(receipt.path / RECEIPT, there)
            self.storage.put(receipt.path / RECEIPT, f"{folder}/{RECEIPT}")
            # Whoever clears the run removes the order first and lists its files after.
            if not self.storage.has(order_key(self.run_id)):
                raise GivenUp("the run was ended or given up meanwhile")
        except BaseException:
            self.storage.remove(folder)
            raise
        return there

    def _key(self, path: Path) -> str:
        return path.relative_to(self.work.root).as_posix()


@contextmanager
def workplace(root: str, run_id: str) -> Iterator[Workplace]:
    """The place where a task computes.

    Args:
        root: the work folder's path, or the URL of the shared storage: then the task computes in
            a private temporary folder, which is removed.
        run_id: the run.
    """
    if not is_url(root):
        yield Workplace(WorkFolder(Path(root)), run_id, None)
        return
    with _private_folder() as folder:
        work, storage = WorkFolder(folder), Storage(root)
        storage.get(order_key(run_id), work.order)
        yield Workplace(work, run_id, storage)


@contextmanager
def _private_folder() -> Iterator[Path]:
    """A temporary folder of this task, and none of tasks that were killed on this machine."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _remove_orphans(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_orphans(own: Path) -> None:
    """Remove the folders of tasks whose process is gone: their locks are free."""
    for folder in own.parent.glob(f"{_PREFIX}*"):
        if folder == own:
            continue
        with suppress(OSError):  # another user's, or just removed
            lock = os.open(folder / _LOCK, os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove_tree(folder)
            finally:
                os.close(lock)
