"""Who holds a warehouse: what DuckDB's error and the sidecar of a run say."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.warehouse.problems import WarehouseBusyError
from flows.work import WorkFolder


def busy(path: Path, message: str) -> WarehouseBusyError | None:
    """The error to raise if DuckDB's message says that another process holds the file."""
    found = re.search(r"\(?PID (\d+)\)?", message)
    if not found and "lock" not in message.lower():
        return None
    # A process of another container or machine has no number here.
    pid = int(found[1]) or None if found else None
    who = f"process {pid}" if pid else "another process"
    run = running(path, pid)
    if run:
        since = datetime.fromtimestamp(run["started_at"], UTC)
        who += f" (run {run['run_id']}, since {since:%Y-%m-%d %H:%M:%S} UTC)"
    return WarehouseBusyError(
        f"warehouse {path} is in use by {who}",
        "DuckDB lets one process write, and no other open the file meanwhile: wait for it to end "
        "(warehouse.wait_seconds, --wait) or stop it",
        pid=pid,
    )


_FRESH_SECONDS = 60.0


def running(path: Path, pid: int | None) -> dict[str, Any] | None:
    """What the sidecar says of the run that this process carries out; None if it is another's.

    A run that was killed leaves its sidecar behind: it says nothing about who came after. A run in
    another container has other numbers there; it is known by writing its sidecar now.
    """
    try:
        said = json.loads(WorkFolder.beside(path.resolve()).status.read_text("utf-8"))
        numbers = {name: float(said[name]) for name in ("started_at", "updated_at")}
        known = {"run_id": str(said["run_id"]), **numbers}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    fresh = abs(time.time() - numbers["updated_at"]) < _FRESH_SECONDS
    return {**said, **known} if fresh or (pid is not None and said.get("pid") == pid) else None
