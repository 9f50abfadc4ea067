"""Bringing a warehouse to this release: its schema, its views and the derived tables."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from flows.errors import CharthouseError
from flows.processes import STOP, stoppable
from flows.schema import SCHEMA_VERSION
from flows.settings import Settings
from flows.warehouse.access import access_of
from flows.warehouse.connection import Connection, open_warehouse, read_warehouse
from flows.warehouse.derived.refresh import refresh
from flows.warehouse.derived.schema import DERIVED_TABLES
from flows.warehouse.derived.state import are_current, were_made
from flows.warehouse.layout import check_version, renew_views
from flows.warehouse.memory import bound_memory
from flows.warehouse.snapshots import check_configured, publish_configured
from flows.warehouse.storage import storage_errors_told


@dataclass(frozen=True)
class State:
    """What a warehouse is before it is refreshed: its schema, and whether derived tables agree."""

    schema_version: int
    made_before: bool
    is_current: bool


@dataclass(frozen=True)
class Refreshed:
    """What was refreshed: rows by derived table, and the schema version before and now."""

    warehouse: str
    before: State
    schema_version: int
    documents: int
    mentions: int
    rows: dict[str, int]
    seconds: float


def look(warehouse: Path, settings: Settings) -> State:
    """What refreshing would find; writes nothing.

    Raises:
        CharthouseError: there is no such warehouse, or another process holds it.
    """
    with read_warehouse(warehouse, access_of(settings.warehouse)) as connection:
        return _state(connection, warehouse, settings)


def refresh_warehouse(warehouse: Path, settings: Settings, *, quiet: bool = False) -> Refreshed:
    """Migrate a warehouse, renew its views, make the derived tables anew and publish its snapshot.

    The derived tables are made whether or not anything changed, and also where runs leave them out
    (``derived.enabled``). A kill leaves those of before.

    Raises:
        CharthouseError: there is no such warehouse, another process holds it, or the tables cannot
            be made in the memory that DuckDB may take.
    """
    access = access_of(settings.warehouse, quiet=quiet)
    check_configured(settings.warehouse.snapshot, warehouse, access)
    if not warehouse.is_file():
        raise CharthouseError(f"warehouse {warehouse} does not exist", "Check --warehouse")
    with read_warehouse(warehouse, access) as connection:
        before = _state(connection, warehouse, settings)
    clock = time.monotonic()
    with (
        stoppable(),
        storage_errors_told(warehouse),
        open_warehouse(warehouse, access) as connection,
    ):
        bound_memory(connection, settings.execution)
        refresh(connection, settings.derived, STOP.check)
        renew_views(connection)  # of tables that are of this release by now
        rows = {table.name: _count(connection, table.name) for table in DERIVED_TABLES}
        ((documents, mentions),) = connection.execute(
            "SELECT documents, mentions FROM derivations"
        ).fetchall()
        publish_configured(connection, warehouse, settings.warehouse.snapshot, access)
    return Refreshed(
        warehouse=str(warehouse),
        before=before,
        schema_version=SCHEMA_VERSION,
        documents=documents,
        mentions=mentions,
        rows=rows,
        seconds=round(time.monotonic() - clock, 3),
    )


def _state(connection: Connection, warehouse: Path, settings: Settings) -> State:
    derived = settings.derived
    return State(
        schema_version=check_version(connection, warehouse),
        made_before=were_made(connection),
        is_current=are_current(connection, derived.pair_concepts, derived.pair_documents),
    )


def _count(connection: Connection, table: str) -> int:
    ((count,),) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    return int(count)
