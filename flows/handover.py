"""The main process's side of shared storage: shards go out, annotated ones come in.

Files have the same places on shared storage as in the work folder. Each attempt at a shard writes
under a name of its own, its receipt last; so what a worker that was given up still writes harms
nobody, and only what has a receipt and fits it is taken in. Without shared storage workers read
and write the work folder itself, and nothing here does anything.
"""

from __future__ import annotations

import json
from collections.abc import Container
from dataclasses import dataclass, replace
from pathlib import Path

from flows.order import Order, save_order
from flows.receipt import (
    RECEIPT,
    Receipt,
    StagingError,
    check,
    read_receipt,
    rooted,
    write_receipt,
)
from flows.storage import Storage, StorageError
from flows.work import WorkFolder, make_private, remove_tree, sync_folder, write_json
from flows.workplace import order_key

_NOTE = "staging.json"


@dataclass(frozen=True)
class Handover:
    """Between a run's work folder and where its workers read and write."""

    work: WorkFolder
    run_id: str
    storage: Storage | None

    @property
    def root(self) -> str:
        """What tasks are given: the work folder, or the URL of the shared storage."""
        return self.storage.url if self.storage else str(self.work.root)

    def open(self, order: Order) -> None:
        """Hand the order to the workers. An earlier attempt's other storage is emptied."""
        before = _noted(self.work, self.run_id)
        if before is not None and before != self.storage:
            empty = replace(self, storage=before)
            empty.take_over()
            empty.close()
        if self.storage is None:
            return
        make_private(self.work.run(self.run_id))
        write_json(self.work.run(self.run_id) / _NOTE, {"url": self.storage.url})
        shared = self.work.run(self.run_id) / "order.json"
        save_order(replace(order, files=(), sources=()), shared)  # workers need no names of files
        self.storage.put(shared, order_key(self.run_id))

    def give(self, local: Path) -> None:
        """Put a file of the work folder where workers find it."""
        if self.storage:
            self.storage.put(local, self._key(local))

    def take(self, receipt: Receipt, given: Path, staged: Path) -> Receipt:
        """Check what a worker wrote, fetched into the work folder first where it is on storage.

        What was fetched, and the input it was made from, are removed from storage.

        Args:
            receipt: what the worker returned.
            given: the file of the work folder that it was made from.
            staged: the folder of the work folder that its output belongs in.

        Raises:
            StagingError: files are missing or are not those of the receipt; they are removed.
        """
        here = rooted(receipt, staged)
        if self.storage is None or Path(receipt.folder).is_relative_to(self.work.root):
            try:
                check(here)
            except StagingError:
                remove_tree(here.path)
                raise
            return here
        if receipt.folder != self._key(here.path):
            raise StagingError("a receipt names a folder outside of its run")
        final = here.path
        temporary = make_private(final.with_name(f".{final.name}.tmp"))
        try:
            for name, checksum in receipt.checksums.items():
                self.storage.get(f"{receipt.folder}/{name}", temporary / name, checksum)
            write_receipt(temporary / RECEIPT, here)
            temporary.rename(final)
            sync_folder(final.parent)
        except StorageError as error:
            self.storage.remove(receipt.folder)
            raise StagingError(
                f"staged output of shard {receipt.shard} cannot be fetched: {error.problem}",
                "Run the same command again: the shard is annotated anew",
            ) from None
        finally:
            remove_tree(temporary)
        self.storage.remove(receipt.folder)
        self.storage.remove(self._key(given))
        return here

    def take_over(self, shards: Container[int] | None = None) -> None:
        """Fetch what workers finished after an earlier attempt at the run had ended.

        Args:
            shards: numbers of the shards that are wanted; all of them by default. What else is
                there, and attempts without a receipt, are removed.
        """
        if self.storage is None:
            return
        folder = f"{self.run_id}/staged"
        keys = self.storage.keys(folder)
        for attempt in sorted({key.rpartition("/")[0] for key in keys}):
            receipt = self._receipt(attempt) if f"{attempt}/{RECEIPT}" in keys else None
            is_wanted = receipt is not None and (shards is None or receipt.shard in shards)
            if receipt is None or not is_wanted or (self.work.root / attempt).exists():
                self.storage.remove(attempt)
                continue
            try:
                given = self.work.shard(self.run_id, receipt.shard)
                self.take(receipt, given, self.work.staged(self.run_id))
            except StagingError:
                continue  # it is annotated anew

    def close(self) -> None:
        """Remove all that the run has on shared storage.

        The order goes first: a worker that is still at it finds none and removes what it wrote.
        """
        if self.storage is not None:
            self.storage.remove(order_key(self.run_id))
            self.storage.remove(self.run_id)
            (self.work.run(self.run_id) / _NOTE).unlink(missing_ok=True)

    def _key(self, local: Path) -> str:
        return local.relative_to(self.work.root).as_posix()

    def _receipt(self, attempt: str) -> Receipt | None:
        assert self.storage is not None
        local = self.work.run(self.run_id) / f".{RECEIPT}"
        try:
            self.storage.get(f"{attempt}/{RECEIPT}", local)
            receipt = read_receipt(local)
        except (StorageError, StagingError):
            return None
        finally:
            local.unlink(missing_ok=True)
        return receipt if receipt.folder == attempt else None


def clear_storage(work: WorkFolder, run_id: str) -> None:
    """Remove what a run that is given up has on shared storage.

    Raises:
        StorageError: the storage fails; texts would stay there unnoticed.
    """
    storage = _noted(work, run_id)
    if storage is None:
        return
    try:
        Handover(work, run_id, storage).close()
    except StorageError as error:
        raise StorageError(
            f"what the interrupted run {run_id} has on its staging cannot be removed: "
            f"{error.problem}",
            f"Make it reachable; or remove {storage.url}/{run_id} and then "
            f"{work.run(run_id) / _NOTE} yourself",
        ) from None


def clear_all_storage(work: WorkFolder) -> None:
    """The same for all runs that the work folder knows."""
    for note in work.root.glob(f"*/{_NOTE}"):
        clear_storage(work, note.parent.name)


def _noted(work: WorkFolder, run_id: str) -> Storage | None:
    """The shared storage that a run has used before, if any."""
    try:
        return Storage(str(json.loads((work.run(run_id) / _NOTE).read_text("utf-8"))["url"]))
    except (OSError, ValueError, KeyError):
        return None
