"""What must stay forgotten: salted hashes of ids, left when documents and persons were erased.

A salted hash is no id, but whoever has the salt can try ids on it. So the salt stays in the
warehouse: snapshots have none.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from typing import Literal

import polars as pl

from flows.schema import FORGOTTEN, SALTS
from flows.warehouse.ddl import literal
from flows.warehouse.layout import Connection, tables_there
from flows.warehouse.runs import now

Kind = Literal["document", "person"]

_PURPOSE = "forgotten"


def add_tombstones(connection: Connection, kind: Kind, ids: Iterable[str]) -> int:
    """Leave a tombstone of each id; returns how many are new."""
    salt = _salt(connection) or _make_salt(connection)
    hashes = sorted({_subject_hash(salt, kind, identifier) for identifier in ids})
    frame = pl.DataFrame({"subject_hash": hashes}, schema={"subject_hash": pl.String}).with_columns(
        kind=pl.lit(kind), forgotten_at=pl.lit(now())
    )
    before = _count(connection)
    connection.register("tombstones", frame.to_arrow())
    connection.execute(
        f"INSERT INTO {FORGOTTEN.name} BY NAME SELECT * FROM tombstones ON CONFLICT DO NOTHING"
    )
    connection.unregister("tombstones")
    return _count(connection) - before


def lift_tombstones(connection: Connection, kind: Kind, ids: Iterable[str]) -> int:
    """Take tombstones away; returns how many there were."""
    salt = _salt(connection)
    if salt is None:
        return 0
    lifted = connection.execute(
        f"DELETE FROM {FORGOTTEN.name} WHERE list_contains(?, subject_hash) RETURNING 1",
        [[_subject_hash(salt, kind, identifier) for identifier in ids]],
    ).fetchall()
    return len(lifted)


def is_forgotten(connection: Connection, row: str) -> str:
    """A condition in SQL: whether a row with document_id and person_id must stay forgotten.

    Args:
        connection: the warehouse, of any schema version.
        row: the row's alias in the query.
    """
    if not {FORGOTTEN.name, SALTS.name} <= tables_there(connection) or not _count(connection):
        return "false"
    salt = literal(_salt(connection) or "")
    hashes = f"(SELECT subject_hash FROM {FORGOTTEN.name})"
    return (
        f"(sha256({salt} || 'document:' || {row}.document_id) IN {hashes} "
        f"OR coalesce(sha256({salt} || 'person:' || {row}.person_id) IN {hashes}, false))"
    )


def _subject_hash(salt: str, kind: Kind, identifier: str) -> str:
    return hashlib.sha256(f"{salt}{kind}:{identifier}".encode()).hexdigest()


def _salt(connection: Connection) -> str | None:
    rows = connection.execute(
        f"SELECT salt FROM {SALTS.name} WHERE purpose = ?", [_PURPOSE]
    ).fetchall()
    return str(rows[0][0]) if rows else None


def _make_salt(connection: Connection) -> str:
    salt = secrets.token_hex(32)
    connection.execute(f"INSERT INTO {SALTS.name} (purpose, salt) VALUES (?, ?)", [_PURPOSE, salt])
    return salt


def _count(connection: Connection) -> int:
    ((count,),) = connection.execute(f"SELECT count(*) FROM {FORGOTTEN.name}").fetchall()
    return int(count)
