"""Moments of a run that can be told from outside, by what lies in its work folder just now."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from subprocess import Popen

from flows.warehouse.runs import is_run_id
from flows.work import WorkFolder


@dataclass(frozen=True)
class Look:
    """Files at one moment: how many there are, or how large."""

    wal: int = 0
    order: int = 0
    root: int = 0
    run: int = 0
    spool_folder: int = 0
    spool: int = 0
    shards: int = 0
    progress: int = 0
    unfinished: int = 0
    receipts: int = 0
    staged: int = 0
    names: int = 0
    linked: int = 0

    def most(self, other: Look) -> Look:
        """Field by field the larger of two."""
        return Look(*(max(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)))


def look(warehouse: Path) -> Look:
    """What lies beside a warehouse now."""
    work = WorkFolder.beside(warehouse)
    names = _listed(work.root)
    run_ids = sorted(name for name in names if is_run_id(name))
    wal = _size(warehouse.with_name(warehouse.name + ".wal"))
    shared = {"wal": wal, "order": int("order.json" in names), "root": int(work.root.is_dir())}
    if not run_ids:
        return Look(**shared)
    run_id = run_ids[-1]
    staged = _listed(work.staged(run_id))
    unfinished = [name for name in staged if name.startswith(".")]
    return Look(
        **shared,
        run=1,
        spool_folder=int(work.spool(run_id).is_dir()),
        spool=len(_listed(work.spool(run_id))),
        shards=sum(name.endswith("t") for name in _listed(work.shards(run_id))),
        progress=len(_listed(work.progress(run_id))),
        unfinished=len(unfinished),
        receipts=sum((work.staged(run_id) / name / "receipt.json").exists() for name in unfinished),
        staged=len(staged) - len(unfinished),
        names=len(_listed(work.run(run_id) / "names")),
        linked=len(_listed(work.linked(run_id))),
    )


def _listed(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except OSError:
        return []


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


Sign = Callable[[Look, Look, Look], bool]
"""Whether a moment has come, by this look, the one before, and the most of all before."""

MOMENTS: dict[str, Sign] = {
    "order saved": lambda now, before, most: bool(now.order),
    "reading": lambda now, before, most: bool(now.spool),
    "cutting shards": lambda now, before, most: bool(now.shards and now.spool_folder),
    "plan stored": lambda now, before, most: bool(now.shards and not now.spool_folder),
    "annotating": lambda now, before, most: bool(now.progress),
    "staging": lambda now, before, most: bool(now.unfinished),
    "renaming": lambda now, before, most: bool(now.receipts or now.staged),
    "staged": lambda now, before, most: bool(now.staged),
    "committing": lambda now, before, most: bool(most.staged and now.wal > before.wal),
    "half loaded": lambda now, before, most: 0 < now.shards <= most.shards // 2,
    "all loaded": lambda now, before, most: bool(most.shards and not now.shards),
    "names written": lambda now, before, most: bool(now.names),
    "names linked": lambda now, before, most: bool(now.linked),
    "links loaded": lambda now, before, most: bool(most.names and not now.names),
    "published": lambda now, before, most: bool(most.run and not now.run),
    "checkpoint": lambda now, before, most: bool(most.run and now.wal < before.wal),
    "closing": lambda now, before, most: bool(most.root and not now.root),
}
"""Named moments of a run, in the order in which they come."""


def stage_of(now: Look) -> str:
    """The stage that a run is in, by what lies in its work folder."""
    if not now.run:
        return "opening or closing" if now.root else "outside"
    if now.spool_folder:
        return "planning"
    if now.shards:
        return "annotating"
    return "linking"


_LOOK_SECONDS = 0.0005


def wait_for(
    moment: str, process: Popen[bytes], warehouse: Path, seconds: float, later: float = 0.0
) -> bool:
    """Wait until a run has come to a moment; False if it ended before that.

    Args:
        moment: a key of :data:`MOMENTS`.
        process: the run.
        warehouse: where it writes.
        seconds: the longest wait.
        later: seconds to let pass after the moment.

    Raises:
        TimeoutError: neither the moment nor the end came.
    """
    sign, deadline = MOMENTS[moment], time.monotonic() + seconds
    before = most = Look()
    while process.poll() is None:
        now = look(warehouse)
        if sign(now, before, most):
            time.sleep(later)
            return process.poll() is None
        before, most = now, most.most(now)
        if time.monotonic() > deadline:
            raise TimeoutError(moment)
        time.sleep(_LOOK_SECONDS)
    return False


def soon(chance: random.Random) -> float:
    """A few milliseconds: a moment is not always caught at its very beginning."""
    return chance.choice([0.0, chance.uniform(0, 0.01), chance.uniform(0, 0.1)])
