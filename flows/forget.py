"""Forgetting documents and persons: tables, work folder, snapshots and the bytes of the file."""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from flows.errors import CharthouseError
from flows.handover import clear_all_storage
from flows.processes import stoppable
from flows.warehouse import runs
from flows.warehouse.access import Access
from flows.warehouse.compacting import Compacted, compact
from flows.warehouse.connection import Connection, open_warehouse, read_warehouse, transaction
from flows.warehouse.erasing import Erased, Subjects, count_erasure, erase
from flows.warehouse.snapshots import renew_known
from flows.warehouse.tombstones import lift_tombstones
from flows.work import WorkFolder, remove_tree


@dataclass(frozen=True)
class Forgotten:
    """What was erased, how many snapshots were renewed, and the file's size before and after.

    ``compacted`` is None where compaction was put off.
    """

    erased: Erased
    abandoned_runs: int
    snapshots: int
    compacted: Compacted | None


def preview(warehouse: Path, subjects: Subjects, access: Access) -> Erased:
    """What forgetting would erase; writes nothing.

    Raises:
        CharthouseError: there is no such warehouse, or an annotation set cannot go.
    """
    with read_warehouse(warehouse, access) as connection:
        return count_erasure(connection, subjects)


def forget(
    warehouse: Path, subjects: Subjects, access: Access, *, defer_compaction: bool = False
) -> Forgotten:
    """Erase the subjects wherever charthouse keeps them, and leave tombstones.

    The tables are erased in one transaction. After a kill the same call does what is left, also
    where nothing is left to erase but bytes.

    Raises:
        CharthouseError: there is no such warehouse, another process holds it, an annotation set
            cannot go, or a snapshot or the file itself could not be written anew.
    """
    with stoppable(), _existing(warehouse, access) as connection:
        count_erasure(connection, subjects)  # fails before anything is given up
        abandoned = _give_up_runs(connection, WorkFolder.beside(warehouse.resolve()))
        erased = erase(connection, subjects)
        if defer_compaction:
            return Forgotten(erased, abandoned, 0, None)
        snapshots, compacted = _rewrite(connection, warehouse, access)
    return Forgotten(erased, abandoned, snapshots, compacted)


def remember(warehouse: Path, subjects: Subjects, access: Access) -> int:
    """Lift tombstones: the next run over their sources brings the subjects back.

    Returns:
        How many tombstones were lifted. All sources are read again then.
    """
    with _existing(warehouse, access) as connection, transaction(connection):
        lifted = lift_tombstones(connection, "document", subjects.documents)
        lifted += lift_tombstones(connection, "person", subjects.persons)
        if lifted:
            connection.execute("UPDATE sources SET status = 'partial' WHERE status = 'done'")
    return lifted


def compact_warehouse(
    warehouse: Path, access: Access, *, encrypt: bool = False
) -> tuple[int, Compacted]:
    """Write snapshots that are out of date, then the warehouse itself, anew.

    Args:
        warehouse: its file.
        access: its key.
        encrypt: the file is plain as yet and gets the key now; its snapshots too.

    Returns:
        How many snapshots were renewed, and the file's size before and after.

    Raises:
        CharthouseError: another process holds the warehouse, a run is open, or something could
            not be written.
    """
    if encrypt and access.key is None:
        raise CharthouseError(
            "there is no key to encrypt with", "Set warehouse.key_variable or warehouse.key_file"
        )
    now = replace(access, key=None) if encrypt else access
    with stoppable(), _existing(warehouse, now) as connection:
        if runs.open_runs(connection):
            raise CharthouseError(
                f"warehouse {warehouse} has a run that did not end",
                "Give its command again, then compact",
            )
        return _rewrite(connection, warehouse, access)


def _existing(warehouse: Path, access: Access) -> AbstractContextManager[Connection]:
    """Open a warehouse that must be there: only runs make one."""
    if not warehouse.is_file():
        raise CharthouseError(f"warehouse {warehouse} does not exist", "Check --warehouse")
    return open_warehouse(warehouse, access)


def _give_up_runs(connection: Connection, work: WorkFolder) -> int:
    """Abandon open runs, and remove what they keep, also on shared storage: it holds texts.

    Only the ids of their flow runs stay: the next run closes these in Prefect.
    """
    clear_all_storage(work)
    open_runs = runs.open_runs(connection)
    runs.forget_unplanned(connection)
    for run in open_runs:
        if run.planned:
            runs.abandon_run(connection, run.run_id)
    for entry in work.root.glob("*"):
        if entry.is_dir() and entry != work.flow_runs:
            remove_tree(entry)
        elif entry.is_file():
            entry.unlink()
    for folder in (work.flow_runs, work.root):
        with suppress(OSError):  # not there, or not empty
            folder.rmdir()
    return len(open_runs)


def _rewrite(connection: Connection, warehouse: Path, access: Access) -> tuple[int, Compacted]:
    """Renew snapshots and compact; a snapshot that cannot be renewed is told at the end."""
    problem: CharthouseError | None = None
    renewed = 0
    try:
        renewed = renew_known(connection, warehouse, access)
    except CharthouseError as error:
        problem = error
    compacted = compact(connection, warehouse, access)
    if problem:
        raise problem
    return renewed, compacted
