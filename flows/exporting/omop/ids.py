"""Integer ids that stay: a file beside the exports remembers which document has which.

A hash of OMOP's 32 bits would give two of 100,000 documents the same id. So ids are counted, and
the file keeps them. A document's mentions have one run of ids: the file grows with documents.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from flows.errors import CharthouseError
from flows.exporting.choices import IdMode
from flows.exporting.selection import SELECTED
from flows.warehouse.ddl import literal, parquet
from flows.warehouse.layout import Connection
from flows.warehouse.tombstones import is_forgotten
from flows.work import write_durably

IDS = "memory.main.ids"
"""kind (note, person, visit, mentions; mode and last for the file's own use), key, version (of
mentions: annotation set and source hash; of a visit: the person), first (the id, or the first of
them), numbers."""

LARGEST = 2**31 - 1
"""OMOP's ``integer`` has 32 bits."""

Stamp = tuple[int, int, int] | None
"""By what a version of the file is known; None where there is none."""
_COLUMNS = {"kind", "key", "version", "first", "numbers"}
_INTEGER = "regexp_full_match({0}, '0|[1-9][0-9]{{0,9}}') AND TRY_CAST({0} AS INTEGER) IS NOT NULL"

_SUBJECTS = {
    "note": ("document_id", "native_id"),
    "person": ("person_id", "person_id"),
    "visit": ("encounter_id", "encounter_id"),
}
"""Kind to the column that is the key, and the one whose integer may be the id."""


def assign_ids(connection: Connection, path: Path, mode: IdMode, first: int = 1) -> Stamp:
    """Read the file of ids, give ids to what has none yet, and leave all in :data:`IDS`.

    ``native`` takes native_id, person_id and encounter_id themselves, which then must be integers;
    ``assigned`` counts from ``first``; ``auto`` is native for each kind of which the warehouse
    holds integers only, and once chosen it stays. What then comes and is no integer, or has one
    that is taken, is counted up from the last: a warehouse that grows is no dead end.

    Returns:
        What :func:`write_ids` tells by whether another export has written the file meanwhile.

    Raises:
        CharthouseError: the file is none, was made in the other mode, native ids are asked for and
            one is no integer or stands for two documents, or the 32 bits are used up.
    """
    stamp = _stamp(path)
    _read(connection, path)
    for kind in _SUBJECTS:
        chosen = _mode_of(connection, path, kind, mode)
        if chosen is IdMode.native:
            _take_natives(connection, path, kind, strictly=mode is IdMode.native)
        _count_up(connection, path, kind, first)
    _assign_mentions(connection, path, first)
    return stamp


def count_misfits(connection: Connection) -> int:
    """Notes, persons and visits whose id :func:`assign_ids` counted where others are native."""
    total = 0
    for kind, (key, value) in _SUBJECTS.items():
        ((misfits,),) = connection.execute(
            f"SELECT count(DISTINCT i.key) FROM {SELECTED} s JOIN documents d ON d.rowid = s.place "
            f"JOIN {IDS} i ON i.kind = '{kind}' AND i.key = d.{key} JOIN {IDS} m "
            f"ON m.kind = 'mode' AND m.key = '{kind}' AND m.version = '{IdMode.native}' "
            f"WHERE i.first::VARCHAR != d.{value}"
        ).fetchall()
        total += misfits
    return total


def write_ids(connection: Connection, path: Path, stamp: Stamp) -> None:
    """Write the file: before the export takes its place, so that no id is ever given twice.

    Raises:
        CharthouseError: it has changed since it was read.
    """
    if _stamp(path) != stamp:
        raise CharthouseError(
            f"another export has written ids to {path} meanwhile", "Run the same command again"
        )
    query = f"COPY (FROM {IDS} ORDER BY ALL) TO {{}} (FORMAT parquet)"
    write_durably(path, lambda file: connection.execute(query.format(literal(str(file)))))


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(connection: Connection, path: Path) -> None:
    connection.execute(
        f"CREATE OR REPLACE TABLE {IDS} (kind VARCHAR, key VARCHAR, version VARCHAR, "
        "first BIGINT, numbers BIGINT)"
    )
    if not path.exists():
        return
    wrong = CharthouseError(f"{path} is no file of ids", "Give another --ids")
    try:
        names = connection.execute(f"DESCRIBE FROM {parquet(path)}").fetchall()
        if {name for name, *_ in names} != _COLUMNS:
            raise wrong
        connection.execute(f"INSERT INTO {IDS} BY NAME FROM {parquet(path)}")
    except duckdb.Error:
        raise wrong from None
    # Ids of what was forgotten say nothing any more, but nobody else gets them.
    for kind in (*_SUBJECTS, "mentions"):
        last = _last(connection, kind)
        connection.execute(f"DELETE FROM {IDS} WHERE kind = 'last' AND key = ?", [kind])
        connection.execute(f"INSERT INTO {IDS} VALUES ('last', ?, '', ?, 0)", [kind, last])
    connection.execute(
        f"DELETE FROM {IDS} WHERE rowid IN (SELECT place FROM (SELECT rowid AS place, "
        "CASE WHEN kind IN ('note', 'mentions') THEN key END AS document_id, "
        "CASE kind WHEN 'person' THEN key WHEN 'visit' THEN version END AS person_id "
        f"FROM {IDS}) row "
        f"WHERE {is_forgotten(connection, 'row')})"
    )


def _last(connection: Connection, kind: str) -> int:
    ((last,),) = connection.execute(
        f"SELECT coalesce(max(CASE kind WHEN 'last' THEN first ELSE first + numbers - 1 END), 0) "
        f"FROM {IDS} WHERE kind = $kind OR (kind = 'last' AND key = $kind)",
        {"kind": kind},
    ).fetchall()
    return int(last)


def _mode_of(connection: Connection, path: Path, kind: str, asked: IdMode) -> IdMode:
    rows = connection.execute(
        f"SELECT version FROM {IDS} WHERE kind = 'mode' AND key = ?", [kind]
    ).fetchall()
    if rows:
        before = IdMode(rows[0][0])
        if asked not in (IdMode.auto, before):
            raise CharthouseError(
                f"{path} has {before} ids of {kind}s, and --id-mode asks for {asked} ones",
                "Give another --ids, or leave --id-mode out",
            )
        return before
    mode = asked
    if mode is IdMode.auto:
        key, value = _SUBJECTS[kind]
        ((fits,),) = connection.execute(
            f"SELECT bool_and({_INTEGER.format(value)}) "
            f"AND count(DISTINCT {value}) = count(DISTINCT {key}) "
            f"FROM documents WHERE NOT is_deleted AND {value} IS NOT NULL"
        ).fetchall()
        if fits is None:
            return IdMode.assigned  # there is nothing yet to choose by
        mode = IdMode.native if fits else IdMode.assigned
    connection.execute(f"INSERT INTO {IDS} VALUES ('mode', ?, ?, 0, 0)", [kind, mode])
    return mode


def _new(kind: str) -> str:
    """The query of what has no id yet: key, value and, of a visit, the person."""
    key, value = _SUBJECTS[kind]
    person = "coalesce(min(d.person_id), '')" if kind == "visit" else "''"
    return (
        f"SELECT d.{key} AS key, min(d.{value}) AS value, {person} AS person FROM {SELECTED} s "
        f"JOIN documents d ON d.rowid = s.place WHERE d.{key} IS NOT NULL "
        f"AND d.{key} NOT IN (SELECT key FROM {IDS} WHERE kind = '{kind}') GROUP BY d.{key}"
    )


def _take_natives(connection: Connection, path: Path, kind: str, *, strictly: bool) -> None:
    """Let integers be their own ids, but those that something else has already."""
    value = _SUBJECTS[kind][1]
    is_fit = _INTEGER.format("value")
    ((new, fit),) = connection.execute(
        f"SELECT count(*), count(*) FILTER (WHERE {is_fit}) FROM ({_new(kind)})"
    ).fetchall()
    fix = "Leave --id-mode out, or give another --ids with --id-mode assigned"
    if strictly and fit < new:
        raise CharthouseError(
            f"{new - fit:,} of the {value}s are no integers of 32 bits, and native ids of {kind}s "
            "are asked for",
            fix,
        )
    ((taken,),) = connection.execute(
        f"INSERT INTO {IDS} SELECT '{kind}', key, person, number, 1 FROM ("
        f"SELECT key, person, TRY_CAST(value AS INTEGER)::BIGINT AS number FROM ({_new(kind)}) "
        f"WHERE {is_fit}) WHERE number NOT IN (SELECT first FROM {IDS} WHERE kind = '{kind}') "
        "QUALIFY row_number() OVER (PARTITION BY number ORDER BY key) = 1"
    ).fetchall()
    if strictly and taken < new:
        raise CharthouseError(
            f"{new - taken:,} of the {value}s stand for two {kind}s: another corpus has them too, "
            f"or {path} has given them",
            fix,
        )
    _check_room(connection, path, kind)


def _count_up(connection: Connection, path: Path, kind: str, first: int) -> None:
    """Count ids for what has none yet."""
    last = max(_last(connection, kind), first - 1)
    connection.execute(
        f"INSERT INTO {IDS} SELECT '{kind}', key, person, "
        f"{last} + row_number() OVER (ORDER BY key), 1 FROM ({_new(kind)})"
    )
    _check_room(connection, path, kind)


def _assign_mentions(connection: Connection, path: Path, first: int) -> None:
    connection.execute(
        f"CREATE OR REPLACE TABLE memory.main.runs_of_ids AS SELECT s.document_id AS key, "
        "s.annotation_id || ' ' || s.source_hash AS version, max(m.mention_id) + 1 AS numbers "
        f"FROM {SELECTED} s JOIN mentions m "
        "ON m.document_id = s.document_id AND m.annotation_id = s.annotation_id GROUP BY ALL"
    )
    # The same text and set found more than before, by other rounding: it gets a longer run.
    connection.execute(
        f"DELETE FROM {IDS} i USING memory.main.runs_of_ids r WHERE i.kind = 'mentions' "
        "AND i.key = r.key AND i.version = r.version AND i.numbers < r.numbers"
    )
    last = max(_last(connection, "mentions"), first - 1)
    connection.execute(
        f"INSERT INTO {IDS} SELECT 'mentions', key, version, 1 + {last} "
        "+ coalesce(sum(numbers) OVER (ORDER BY key, version "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0), numbers "
        f"FROM memory.main.runs_of_ids r ANTI JOIN {IDS} i "
        "ON i.kind = 'mentions' AND i.key = r.key AND i.version = r.version"
    )
    connection.execute("DROP TABLE memory.main.runs_of_ids")
    _check_room(connection, path, "mentions")


def _check_room(connection: Connection, path: Path, kind: str) -> None:
    if _last(connection, kind) > LARGEST:
        raise CharthouseError(
            f"the ids of {kind} in {path} have come to the end of OMOP's 32-bit integers",
            "Start a new --ids, and load its export into an emptied table",
        )
