"""A run beside another, from what is stored: any two runs that were measured."""

from __future__ import annotations

from dataclasses import dataclass

from flows.errors import CharthouseError
from flows.quality.drift import (
    Drift,
    find_run,
    judged,
    latest_run,
    limited,
    previous_runs,
)
from flows.quality.measured import EVERYTHING, Comparison, Measured, compare, read_measured
from flows.quality.schema import (
    BASELINE,
    LIMIT,
    PREVIOUS,
    QUALITY,
    QUALITY_DRIFT,
    RUN,
)
from flows.quality.settings import QualitySettings
from flows.quality.thresholds import Thresholds
from flows.warehouse.layout import Connection, tables_there


@dataclass(frozen=True)
class Look:
    """A run, what it found, and how far that is from other runs."""

    run_id: str
    measured: Measured
    drifts: tuple[Drift, ...]


def look(
    connection: Connection,
    settings: QualitySettings,
    *,
    run: str | None = None,
    against: str = PREVIOUS,
    scope: str = RUN,
    as_told: bool = False,
) -> Look:
    """Compare a run with another, by the settings' thresholds.

    Args:
        connection: the warehouse, of any schema version.
        settings: thresholds and baseline.
        run: a run_id or its beginning; None for the latest that was measured.
        against: previous, baseline, or a run_id or its beginning.
        scope: run for the documents of each run, warehouse for all that were current after it.
        as_told: where the run itself was compared so, show what it stored, by its own thresholds.

    Raises:
        CharthouseError: no run was measured, or a run is named that was not.
    """
    if QUALITY.name not in tables_there(connection):
        raise CharthouseError("no run of this warehouse was measured", "charthouse run does that")
    if run:
        run_id = find_run(connection, run, scope, with_documents=False)
    else:
        run_id = _latest(connection, scope)
    measured = read_measured(connection, run_id, scope)
    if as_told and scope == RUN and (told := _told(connection, run_id, against)):
        return Look(run_id, measured, told)
    others = _others(connection, settings, measured, against, scope)
    known = {other: read_measured(connection, other, scope) for other in set(others.values())}
    name = against if against in {PREVIOUS, BASELINE} else "chosen"
    drifts = [
        judged(name, other, found, settings)
        for corpus, other in others.items()
        for found in compare(known[other], measured, corpus)
    ]
    return Look(run_id, measured, (*drifts, *limited(measured, settings)))


def _told(connection: Connection, run_id: str, against: str) -> tuple[Drift, ...]:
    """What the run stored of its comparison, and of its limits."""
    rows = connection.execute(
        "SELECT against, against_run_id, corpus, label, measure, before, after, value, warn, "
        f"fail, status FROM {QUALITY_DRIFT.name} WHERE run_id = ? AND against IN (?, '{LIMIT}') "
        f"ORDER BY against = '{LIMIT}', corpus, label, measure",
        [run_id, against],
    ).fetchall()
    if against != PREVIOUS and all(kind != against for kind, *_ in rows):
        return ()
    return tuple(
        Drift(
            kind,
            other,
            Comparison(corpus, label, measure, before, after, value, EVERYTHING),
            Thresholds(warn, fail),
            status,
        )
        for kind, other, corpus, label, measure, before, after, value, warn, fail, status in rows
    )


def _others(
    connection: Connection,
    settings: QualitySettings,
    measured: Measured,
    against: str,
    scope: str,
) -> dict[str, str]:
    """For each corpus of a run the one it is compared with."""
    if against == PREVIOUS:
        runs = previous_runs(connection, measured.run_id, scope)
        return {corpus: runs[corpus] for corpus in measured.corpora if corpus in runs}
    if against == BASELINE and not settings.baseline:
        raise CharthouseError(
            "there is no baseline", "Set quality.baseline in the file of --config to a run_id"
        )
    named = settings.baseline if against == BASELINE else against
    return dict.fromkeys(measured.corpora, find_run(connection, named or "", scope))


def _latest(connection: Connection, scope: str) -> str:
    latest = latest_run(connection, scope)
    if latest is None:
        raise CharthouseError("no run of this warehouse was measured", "charthouse run does that")
    return latest
