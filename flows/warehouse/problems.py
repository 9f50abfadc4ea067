"""What can be wrong with a warehouse file."""

from __future__ import annotations

from flows.errors import CharthouseError


class WarehouseError(CharthouseError):
    """A warehouse cannot be opened: missing, held by another process, foreign or too new."""


class EmptyWarehouseError(WarehouseError):
    """A DuckDB file without any table: a run was killed while it made the warehouse."""


class WarehouseBusyError(WarehouseError):
    """Another process holds the warehouse. ``pid`` is that process, where it is known."""

    def __init__(self, problem: str, fix: str = "", *, pid: int | None = None) -> None:
        """Say who holds it."""
        super().__init__(problem, fix)
        self.pid = pid
