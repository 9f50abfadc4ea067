"""Runs in the warehouse: begun, continued, ended."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flows.generating.schema import SET_PREFIX
from flows.order import Order
from flows.warehouse.connection import Connection, transaction
from nlp.fingerprint import AnnotationSet


@dataclass(frozen=True)
class PlannedShard:
    """A shard that waits to be annotated."""

    number: int
    path: str
    checksum: str
    documents: int
    characters: int
    one_by_one: bool = False
    """Its worker takes each document by itself: it is among those that may end a worker."""


def now() -> datetime:
    """The time in UTC without zone, as the tables keep it."""
    return datetime.now(UTC).replace(tzinfo=None)


_STAMP = "%Y%m%dT%H%M%S"


def new_run_id() -> str:
    """A run id that sorts by time."""
    return f"{now():{_STAMP}}-{secrets.token_hex(3)}"


def next_run_id(connection: Connection) -> str:
    """A run id that sorts after those of all runs in the warehouse.

    It is made of the time, unless the clock has been put back or stands at the same second.
    """
    ((latest,),) = connection.execute("SELECT max(run_id) FROM runs").fetchall()
    moment = now()
    if latest is not None and is_run_id(latest):
        before = datetime.strptime(latest.partition("-")[0], _STAMP)
        moment = max(moment, before + timedelta(seconds=1))
    return f"{moment:{_STAMP}}-{secrets.token_hex(3)}"


def is_run_id(name: str) -> bool:
    """Whether a name looks like a run id."""
    return re.fullmatch(r"\d{8}T\d{6}-[0-9a-f]{6}", name) is not None


@dataclass(frozen=True)
class OpenRun:
    """A run that did not end: its order's fingerprint and whether its plan is stored."""

    run_id: str
    order_hash: str
    annotation_id: str
    planned: bool

    @property
    def generates(self) -> bool:
        """Whether it is a run of charthouse generate."""
        return self.annotation_id.startswith(SET_PREFIX)


GENERATES = f"starts_with(annotation_id, '{SET_PREFIX}')"
"""A condition in SQL on ``runs``: whether a run is one of charthouse generate."""


def open_runs(connection: Connection) -> list[OpenRun]:
    """Runs that were interrupted, oldest first. The caller holds the warehouse, so none lives."""
    rows = connection.execute(
        "SELECT run_id, order_hash, annotation_id, seconds IS NOT NULL FROM runs "
        "WHERE status = 'running' ORDER BY run_id"
    ).fetchall()
    return [OpenRun(*row) for row in rows]


def begin_run(connection: Connection, run_id: str, order: Order) -> None:
    """Record a new run."""
    connection.execute(
        "INSERT INTO runs (run_id, order_hash, annotation_id, status, read, started_at) "
        "VALUES (?, ?, ?, 'running', 0, ?)",
        [run_id, order.order_hash, order.annotation.annotation_id, now()],
    )


def abandon_run(connection: Connection, run_id: str) -> None:
    """Give up an interrupted run whose annotations nobody asks for any more.

    What it loaded stays; its unfinished shards are forgotten, and the sources it had planned
    count as partly read, so that they are read again.
    """
    with transaction(connection):
        connection.execute("DELETE FROM shards WHERE run_id = ? AND status = 'planned'", [run_id])
        connection.execute(
            "UPDATE sources SET status = 'partial' WHERE run_id = ? AND status = 'planned'",
            [run_id],
        )
        connection.execute(
            "UPDATE runs SET status = 'abandoned', finished_at = ? WHERE run_id = ?",
            [now(), run_id],
        )


def fail_run(connection: Connection, run_id: str) -> None:
    """End a run whose numbers do not add up.

    It is not left open: there is nothing in it to go on with. Its sources count as partly read, so
    that the next run compares all of their records with the ledger and annotates what is missing.
    """
    with transaction(connection):
        connection.execute("UPDATE sources SET status = 'partial' WHERE run_id = ?", [run_id])
        connection.execute(
            "UPDATE runs SET status = 'failed', finished_at = ? WHERE run_id = ?", [now(), run_id]
        )


def forget_unplanned(connection: Connection) -> None:
    """Remove runs that ended before their plan was stored: they have done nothing."""
    connection.execute("DELETE FROM runs WHERE status = 'running' AND seconds IS NULL")


def forget_run(connection: Connection, run_id: str) -> None:
    """Remove a run that ended before its plan was stored."""
    connection.execute("DELETE FROM runs WHERE run_id = ? AND seconds IS NULL", [run_id])


def any_runs(connection: Connection) -> bool:
    """Whether the warehouse has seen a run."""
    return bool(connection.execute("SELECT 1 FROM runs LIMIT 1").fetchall())


def order_hash(connection: Connection, run_id: str) -> str:
    """The fingerprint of the order that a run carries out."""
    ((fingerprint,),) = connection.execute(
        "SELECT order_hash FROM runs WHERE run_id = ?", [run_id]
    ).fetchall()
    return str(fingerprint)


def current_stores(connection: Connection) -> list[str]:
    """Folders of the concept stores that the warehouse is linked to, in their order."""
    rows = connection.execute(
        "SELECT r.path FROM linksets l JOIN ontology_releases r USING (release_id) "
        "WHERE l.is_current ORDER BY l.position"
    ).fetchall()
    return [path for (path,) in rows]


def record_annotation_set(connection: Connection, annotation: AnnotationSet) -> None:
    """Write down what an annotation_id stands for, once."""
    connection.execute(
        "INSERT INTO annotation_sets (annotation_id, models, settings, created_at) "
        "VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            annotation.annotation_id,
            [model.name for model in annotation.models],
            annotation.settings,
            now(),
        ],
    )
    for model in annotation.models:
        connection.execute(
            "INSERT INTO models (fingerprint, model, labels) VALUES (?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            [model.fingerprint, model.name, list(model.labels)],
        )


def is_planned(connection: Connection, run_id: str) -> bool:
    """Whether the run's plan is stored."""
    return any(run.planned for run in open_runs(connection) if run.run_id == run_id)


def is_done(connection: Connection, run_id: str) -> bool:
    """Whether a run has ended, all its work done."""
    return bool(
        connection.execute(
            "SELECT 1 FROM runs WHERE run_id = ? AND status = 'done'", [run_id]
        ).fetchall()
    )


def planned_shards(connection: Connection, run_id: str) -> list[PlannedShard]:
    """The run's shards that are not loaded, in order."""
    rows = connection.execute(
        "SELECT shard_id, path, checksum, documents, characters FROM shards "
        "WHERE run_id = ? AND status = 'planned' ORDER BY shard_id",
        [run_id],
    ).fetchall()
    return [PlannedShard(int(shard_id.rpartition(":")[2]), *rest) for shard_id, *rest in rows]


def highest_shard(connection: Connection, run_id: str) -> int:
    """The highest shard number of a run, 0 where it has none."""
    ((last,),) = connection.execute(
        "SELECT max(split_part(shard_id, ':', 2)::INTEGER) FROM shards WHERE run_id = ?", [run_id]
    ).fetchall()
    return int(last or 0)


def replace_shard(
    connection: Connection, run_id: str, shard: PlannedShard, parts: Sequence[PlannedShard]
) -> None:
    """Plan a shard's parts in its place, in one transaction."""
    with transaction(connection):
        connection.execute(
            "DELETE FROM shards WHERE shard_id = ? AND status = 'planned'",
            [f"{run_id}:{shard.number:05d}"],
        )
        for part in parts:
            connection.execute(
                "INSERT INTO shards (shard_id, run_id, path, checksum, status, documents, "
                "characters) VALUES (?, ?, ?, ?, 'planned', ?, ?)",
                [
                    f"{run_id}:{part.number:05d}",
                    run_id,
                    part.path,
                    part.checksum,
                    part.documents,
                    part.characters,
                ],
            )


def close_sources(connection: Connection, run_id: str) -> None:
    """Mark the sources of a run as done: every document in them is in the warehouse."""
    connection.execute(
        "UPDATE sources SET status = 'done' WHERE run_id = ? AND status = 'planned'", [run_id]
    )


def finish_run(connection: Connection, run_id: str, seconds: Mapping[str, float]) -> None:
    """Mark a run as done with the wall seconds of its stages: annotate, link, derive, quality."""
    spent = {name: seconds.get(name, 0.0) for name in ("annotate", "link", "derive", "quality")}
    connection.execute(
        "UPDATE runs SET status = 'done', finished_at = $now, seconds = {plan: seconds.plan, "
        "annotate: $annotate, link: $link, total: seconds.plan + $all, derive: $derive, "
        "quality: $quality} WHERE run_id = $run_id",
        spent | {"now": now(), "all": sum(spent.values()), "run_id": run_id},
    )
