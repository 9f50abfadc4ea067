"""Snapshots: read-only copies of a warehouse for analysts, published whole or not at all.

While a process has the warehouse open for writing nobody else can open it. A snapshot can be read
at any time. Whoever reads one while it is replaced goes on reading the former one.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import duckdb

from flows.errors import CharthouseError
from flows.places import check_folder_of
from flows.schema import SALTS, SNAPSHOTS
from flows.warehouse.access import Access
from flows.warehouse.copying import write_copy
from flows.warehouse.files import log_file, remove_database, spill_folder
from flows.warehouse.layout import Connection
from flows.warehouse.problems import WarehouseError
from flows.warehouse.runs import now
from flows.warehouse.session import attach, connect
from flows.work import WorkFolder, sync_folder

_FORMER = "former_snapshot"


def check_snapshot(snapshot: Path, warehouse: Path, access: Access) -> Path:
    """Check at the door that a snapshot can be published at a path; returns the path, resolved.

    Raises:
        CharthouseError: the path is the warehouse's own, its folder is missing or cannot be
            written to, or there is a file that is no snapshot.
    """
    path, source = snapshot.resolve(), warehouse.resolve()
    if set(str(path)) & set("*?["):
        raise CharthouseError(
            f"snapshot {snapshot}: its path holds one of * ? [", "DuckDB reads these as a pattern"
        )
    if (
        path == source
        or path in (log_file(source), spill_folder(source), WorkFolder.beside(source).root)
        or WorkFolder.beside(source).root in path.parents
        or (path.exists() and source.exists() and path.samefile(source))
    ):
        raise CharthouseError(
            f"snapshot {snapshot} is the warehouse itself or one of its own files",
            "Give the copy another path",
        )
    check_folder_of(snapshot, "snapshot")
    if path.exists() and not _is_snapshot(path, access):
        raise CharthouseError(
            f"{snapshot} is there and is no snapshot published under this path",
            "Give another path, or remove that file",
        )
    return path


def _is_snapshot(path: Path, access: Access) -> bool:
    """Whether a file is what was published here before: nothing else is ever replaced."""
    if not path.is_file():
        return False
    for tried in (access, replace(access, key=None)):  # published before there was a key
        with suppress(duckdb.Error), connect(None) as connection:
            attach(connection, path, _FORMER, tried, read_only=True)
            return bool(
                connection.execute(
                    f"SELECT 1 FROM {_FORMER}.{SNAPSHOTS.name} WHERE path = ?", [str(path)]
                ).fetchall()
            )
    return False


def publish(connection: Connection, warehouse: Path, snapshot: Path, access: Access) -> None:
    """Publish the open warehouse at a path, in place of the snapshot that was there.

    A kill leaves the former snapshot whole; what was written of the new one is removed by the next
    publication.

    Raises:
        CharthouseError: the path cannot be used, or the copy cannot be written.
    """
    path = check_snapshot(snapshot, warehouse, access)
    connection.execute(
        f"INSERT OR REPLACE INTO {SNAPSHOTS.name} (path, is_encrypted, published_at) "
        "VALUES (?, ?, ?)",
        [str(path), access.key is not None, now()],
    )
    # Without the salt nobody can try ids on the hashes in `forgotten`.
    temporary = write_copy(connection, path, access, without={SALTS.name})
    try:
        _take_over_rights(temporary, path)
        log_file(path).unlink(missing_ok=True)  # of someone who wrote into the former one
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise WarehouseError(
            f"snapshot {path} cannot be replaced ({error.strerror})", "Check the folder's rights"
        ) from None
    finally:
        with suppress(OSError):
            remove_database(temporary)


def _take_over_rights(temporary: Path, path: Path) -> None:
    """Readable as the former snapshot was, else as the umask allows; writable by nobody.

    DuckDB opens files for writing unless it is told not to, and one such reader would lock out all
    others.
    """
    try:
        former = path.stat()
    except OSError:
        temporary.chmod(stat.S_IMODE(temporary.stat().st_mode) & 0o444)
        return
    with suppress(OSError):  # only a member of that group may
        os.chown(temporary, -1, former.st_gid)
    temporary.chmod(stat.S_IMODE(former.st_mode) & 0o444)


def publish_if_changed(
    connection: Connection, warehouse: Path, snapshot: Path | None, access: Access
) -> bool:
    """Publish the configured snapshot, if there is one and it is not as the warehouse is.

    Returns:
        Whether it was published.
    """
    if snapshot is None or _is_current(connection, snapshot.resolve(), access):
        return False
    publish(connection, warehouse, snapshot, access)
    return True


def check_configured(snapshot: Path | None, warehouse: Path, access: Access) -> None:
    """Check at the door that the configured snapshot can be published, if there is one.

    Raises:
        CharthouseError: as :func:`check_snapshot`.
    """
    if snapshot is not None:
        check_snapshot(snapshot, warehouse, access)


def publish_configured(
    connection: Connection, warehouse: Path, snapshot: Path | None, access: Access
) -> None:
    """Publish at the end of a run or relink, if something changed.

    Raises:
        CharthouseError: it could not be published; the warehouse has all of the work.
    """
    try:
        publish_if_changed(connection, warehouse, snapshot, access)
    except CharthouseError as error:
        raise WarehouseError(
            f"the warehouse is complete, but {error.problem}",
            f"{error.fix}. The next run publishes it, or charthouse snapshot",
        ) from None


def renew_known(connection: Connection, warehouse: Path, access: Access) -> int:
    """Publish all snapshots anew that are still there and not as the warehouse is.

    Returns:
        How many were published.

    Raises:
        CharthouseError: one of them cannot be replaced; the others were.
    """
    renewed, problem = 0, None
    rows = connection.execute(f"SELECT path FROM {SNAPSHOTS.name} ORDER BY path").fetchall()
    for path in (Path(path) for (path,) in rows):
        if not path.exists():
            connection.execute(f"DELETE FROM {SNAPSHOTS.name} WHERE path = ?", [str(path)])
            continue
        try:
            renewed += publish_if_changed(connection, warehouse, path, access)
        except CharthouseError as error:
            problem = error
    if problem:
        raise problem
    return renewed


_STATE = (
    # A run that found nothing to do is no reason to copy everything.
    "SELECT run_id FROM {0}runs WHERE status = 'done' AND "
    "read > skipped + duplicates + superseded + coalesce(forgotten, 0)",
    "SELECT annotation_id, count(*), bit_xor(hash(document_id, source_hash, status, is_current)) "
    "FROM {0}document_annotations GROUP BY ALL",
    "SELECT count(*), bit_xor(hash(document_id, source_hash, metadata_hash, is_deleted)) "
    "FROM {0}documents",
    "SELECT linkset_id, position, is_current FROM {0}linksets",
    "SELECT linkset_id, count(*) FROM {0}name_links GROUP BY ALL",
    "SELECT linkset_id, count(*) FROM {0}mention_links GROUP BY ALL",
    "SELECT annotation_id FROM {0}annotation_sets",
    "SELECT release_id FROM {0}ontology_releases",
    "SELECT count(*), bit_xor(hash(path, ordinal, annotation_id, reason)) FROM {0}rejects",
    "SELECT DISTINCT evaluation_id FROM {0}evaluations",
    "SELECT diff_id, count(*) FROM {0}diffs GROUP BY ALL",
    "SELECT made_of, pair_concepts, pair_documents FROM {0}derivations",
    "SELECT generation_id FROM {0}generation_sets",
    "SELECT count(*), bit_xor(hash(item_id, generation_id, source_hash, status)) "
    "FROM {0}generation_items",
    "SELECT subject_hash FROM {0}forgotten",
    "SELECT version FROM {0}schema_version",
)
"""Queries whose answers change with whatever a run, a relink, an evaluation, a comparison or
forgetting does.
"""


def _is_current(connection: Connection, path: Path, access: Access) -> bool:
    """Whether the snapshot at a path shows what the warehouse holds now.

    Told by comparing the two: so a publication that a kill prevented is made up for.
    """
    if not path.is_file():
        return False
    try:
        attach(connection, path, _FORMER, access, read_only=True)
    except duckdb.Error:
        return False
    try:
        return all(
            sorted(map(repr, connection.execute(query.format("")).fetchall()))
            == sorted(map(repr, connection.execute(query.format(f"{_FORMER}.")).fetchall()))
            for query in _STATE
        )
    except duckdb.Error:  # made by another release
        return False
    finally:
        connection.execute(f"DETACH {_FORMER}")
