"""A fingerprint of every table, to see that a run changed no row."""

from __future__ import annotations

from pathlib import Path

from flows.schema import TABLES
from flows.warehouse.connection import read_warehouse
from flows.warehouse.ddl import quoted

_OF_THE_RUN = "runs"
"""Every run adds its own row there."""


def fingerprints(warehouse: Path) -> dict[str, tuple[int, int]]:
    """Rows and the exclusive or of their hashes by table, but for the table of runs."""
    with read_warehouse(warehouse) as connection:
        found = {}
        for table in TABLES:
            if table.name != _OF_THE_RUN:
                name = quoted(table.name)
                query = f"SELECT count(*), coalesce(bit_xor(hash(t)), 0) FROM {name} t"
                (found[table.name],) = connection.execute(query).fetchall()
        return found
