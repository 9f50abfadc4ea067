"""How a warehouse's documents are de-identified: one way for each kind, from the first run on.

With another mode, or another secret, the same documents would get other ids: they would stand
beside those that are there, and a raw note beside its masked copy. So a run with other settings is
refused.
"""

from __future__ import annotations

from typing import NamedTuple, get_args

from flows.errors import CharthouseError
from flows.schema import FORGOTTEN, PRIVACY
from flows.warehouse.layout import Connection, tables_there
from nlp.privacy import PrivacyError
from nlp.privacy.key import keyed, read_key
from nlp.settings import Kind, PrivacySettings

_CHECK_DIGITS = 16


class Way(NamedTuple):
    """How documents of a kind are de-identified; a row of ``privacy``."""

    mode: str
    key_check: str
    keep_document_ids: bool


def check_privacy(connection: Connection, settings: PrivacySettings) -> None:
    """Refuse to write documents in another way than those that are there.

    A kind that the warehouse has no document of, withdrawn or not, may go any way, unless ids have
    been forgotten: their tombstones are made of ids as they were.

    Args:
        connection: the warehouse, of any schema version.
        settings: those of the run.

    Raises:
        CharthouseError: the settings are not those that the warehouse was begun with.
    """
    known = ways(connection)
    wanted = _wanted(settings)
    for kind in get_args(Kind):
        if known.get(kind) == wanted.get(kind):
            continue
        if not _has_documents(connection, kind) and not _has_tombstones(connection):
            if not known and not settings.keep_document_ids:
                _check_names(connection)
            continue
        raise CharthouseError(
            f"the warehouse holds {_described(known.get(kind), kind)}, and "
            f"this run is to {_asked(known.get(kind), wanted.get(kind))}",
            "Give this run the [privacy] settings and the secret of the earlier ones, or begin a "
            "new warehouse from the sources",
        )


def remember_privacy(connection: Connection, settings: PrivacySettings) -> None:
    """Write down how the kinds of documents are de-identified that a plan will bring.

    Part of the plan's transaction; ``incoming`` holds the plan's records.
    """
    wanted = _wanted(settings)
    for kind in ways(connection):
        if kind not in wanted:  # there is none left of it, or the run would have been refused
            connection.execute(f"DELETE FROM {PRIVACY.name} WHERE kind = ?", [kind])
    for kind, way in wanted.items():
        connection.execute(
            f"INSERT OR REPLACE INTO {PRIVACY.name} "
            "SELECT DISTINCT kind, ?, ?, ? FROM incoming WHERE kind = ?",
            [*way, kind],
        )


def ways(connection: Connection) -> dict[str, Way]:
    """What the warehouse remembers, by kind of document; a kind that is not in it is kept as it is.

    Args:
        connection: the warehouse, of any schema version.
    """
    if PRIVACY.name not in tables_there(connection):
        return {}
    rows = connection.execute(
        f"SELECT kind, mode, key_check, keep_document_ids FROM {PRIVACY.name} ORDER BY kind"
    ).fetchall()
    return {kind: Way(*rest) for kind, *rest in rows}


def _wanted(settings: PrivacySettings) -> dict[str, Way]:
    if not settings.is_on:
        return {}
    try:
        check = keyed(read_key(settings), "warehouse", "")[:_CHECK_DIGITS]
    except PrivacyError as error:
        raise CharthouseError(str(error)) from None
    way = Way(settings.mode, check, settings.keep_document_ids)
    return dict.fromkeys(settings.kinds, way)


def _has_documents(connection: Connection, kind: str) -> bool:
    query = "SELECT 1 FROM documents WHERE kind = ? LIMIT 1"
    return bool(connection.execute(query, [kind]).fetchall())


def _check_names(connection: Connection) -> None:
    """Privacy does not begin beside names of files of which nobody knows what they hold."""
    query = "SELECT 1 FROM rejects UNION ALL SELECT 1 FROM sources WHERE status != 'done' LIMIT 1"
    if connection.execute(query).fetchall():
        raise CharthouseError(
            "the warehouse names sources whose records became rejects or were never loaded, which "
            "may be notes, and this run is to hide names of files",
            "Begin a new warehouse from the sources",
        )


def _has_tombstones(connection: Connection) -> bool:
    if FORGOTTEN.name not in tables_there(connection):
        return False
    return bool(connection.execute(f"SELECT 1 FROM {FORGOTTEN.name} LIMIT 1").fetchall())


def _described(way: Way | None, kind: str) -> str:
    if way is None:
        return f"documents of kind {kind} as their sources have them, or tombstones of such"
    return f"documents of kind {kind} that went through privacy.mode {way.mode}"


def _asked(known: Way | None, wanted: Way | None) -> str:
    if wanted is None:
        return "leave them as they are"
    if known is None or known.mode != wanted.mode:
        return f"use privacy.mode {wanted.mode}"
    if known.key_check != wanted.key_check:
        return "use another secret"
    return f"have privacy.keep_document_ids = {str(wanted.keep_document_ids).lower()}"
