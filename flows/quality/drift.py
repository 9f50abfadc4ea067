"""Drift: each run against the run before it, against a chosen one, and against limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from flows.errors import CharthouseError
from flows.quality.measured import (
    EVERYTHING,
    Comparison,
    Measured,
    compare,
    limits,
    read_measured,
)
from flows.quality.schema import (
    ALL,
    BASELINE,
    LIMIT,
    OK,
    PREVIOUS,
    QUALITY,
    QUALITY_DRIFT,
    RUN,
)
from flows.quality.settings import QualityRule, QualitySettings
from flows.quality.thresholds import Thresholds, status_of, thresholds_of
from flows.warehouse.layout import Connection, tables_there

_ENDED_RUNS = (
    f"SELECT q.corpus, q.run_id FROM {QUALITY.name} q JOIN runs r USING (run_id) "
    f"WHERE q.scope = $scope AND q.label = '{ALL}' AND r.status = 'done'"
)
_MEASURED_RUNS = f"{_ENDED_RUNS} AND q.documents > 0"
"""Those that others can be compared with: a run that met rejects alone found no documents."""


@dataclass(frozen=True)
class Drift:
    """A row of ``quality_drift``: a comparison, its thresholds, and what becomes of it."""

    against: str
    against_run_id: str
    found: Comparison
    thresholds: Thresholds
    status: str

    def row(self, run_id: str) -> tuple[object, ...]:
        """In the order of the table's columns."""
        its = self.found
        return (
            *(run_id, self.against, self.against_run_id, its.corpus, its.label, its.measure),
            *(its.before, its.after, its.value, *self.thresholds, self.status),
        )


def judged(against: str, run_id: str, found: Comparison, settings: QualitySettings) -> Drift:
    """A comparison with its thresholds."""
    thresholds = thresholds_of(settings, found.measure, found.corpus, found.label)
    status = status_of(found, thresholds, settings.min_count)
    return Drift(against, run_id, found, thresholds, status)


def write_drift(connection: Connection, run_id: str, settings: QualitySettings) -> None:
    """Compare a run that was measured with others, within a transaction."""
    measured = read_measured(connection, run_id, RUN)
    rows = [drift.row(run_id) for drift in _drifts(connection, measured, settings)]
    frame = pl.DataFrame(rows, schema=QUALITY_DRIFT.schema, orient="row")
    connection.register("drift_rows", frame)
    connection.execute(f"INSERT INTO {QUALITY_DRIFT.name} FROM drift_rows")
    connection.unregister("drift_rows")


def _drifts(
    connection: Connection, measured: Measured, settings: QualitySettings
) -> Iterator[Drift]:
    known: dict[str, Measured] = {}
    others = [(PREVIOUS, previous_runs(connection, measured.run_id))]
    if settings.baseline:
        baseline = find_run(connection, settings.baseline)
        if baseline != measured.run_id:
            others.append((BASELINE, dict.fromkeys(measured.corpora, baseline)))
    for against, runs in others:
        for corpus in measured.corpora:
            if (other := runs.get(corpus)) is None:
                continue
            if other not in known:
                known[other] = read_measured(connection, other, RUN)
            for found in compare(known[other], measured, corpus):
                yield judged(against, other, found, settings)
    yield from limited(measured, settings)


def limited(measured: Measured, settings: QualitySettings) -> Iterator[Drift]:
    """What has a threshold of its own, with what a rule names and the run did not find at all."""
    for found in (*limits(measured), *_missing(measured, settings.rules)):
        drift = judged(LIMIT, measured.run_id, found, settings)
        if drift.thresholds != Thresholds(None, None):
            yield drift


def _missing(measured: Measured, rules: Sequence[QualityRule]) -> list[Comparison]:
    """Counts of corpora and labels that rules name and the run has no row of: there are none."""
    places = {
        (rule.measure, corpus, label)
        for rule in rules
        if rule.measure in {"documents_below", "mentions_below"}
        for corpus in rule.corpora or measured.corpora
        for label in rule.labels
        if measured.rows and (corpus, label) not in measured.rows
    }
    return [
        Comparison(corpus, label, measure, None, 0.0, 0.0, EVERYTHING)
        for measure, corpus, label in sorted(places)
    ]


def previous_runs(connection: Connection, run_id: str, scope: str = RUN) -> dict[str, str]:
    """For each corpus, and for all together, the latest run before that annotated some of it."""
    return dict(
        connection.execute(
            f"SELECT corpus, max(run_id) FROM ({_MEASURED_RUNS}) WHERE run_id < $run_id "
            "GROUP BY corpus",
            {"scope": scope, "run_id": run_id},
        ).fetchall()
    )


def latest_run(connection: Connection, scope: str = RUN) -> str | None:
    """The latest run that was measured, of which there may be rejects alone."""
    ((latest,),) = connection.execute(
        f"SELECT max(run_id) FROM ({_ENDED_RUNS})", {"scope": scope}
    ).fetchall()
    return None if latest is None else str(latest)


def find_run(
    connection: Connection, named: str, scope: str = RUN, *, with_documents: bool = True
) -> str:
    """The run that a run_id or its beginning names, among those that were measured.

    Only runs that found documents count, unless told otherwise: nothing compares with the others.

    Raises:
        CharthouseError: none does, or several do.
    """
    rows = connection.execute(
        f"SELECT DISTINCT run_id FROM ({_MEASURED_RUNS if with_documents else _ENDED_RUNS}) "
        "WHERE starts_with(run_id, $named) ORDER BY 1",
        {"scope": scope, "named": named},
    ).fetchall()
    if len(rows) != 1:
        raise CharthouseError(
            f"{named}: {len(rows) or 'no'} measured runs begin with that",
            '`charthouse sql -w W "SELECT DISTINCT run_id FROM quality '
            'WHERE documents > 0"` lists them',
        )
    return str(rows[0][0])


def check_baseline(connection: Connection, settings: QualitySettings) -> None:
    """Fail at the door where the baseline is no run that was measured.

    Raises:
        CharthouseError: it is not.
    """
    if settings.enabled and settings.baseline:
        if QUALITY.name not in tables_there(connection):
            raise CharthouseError(
                "quality.baseline: no run of this warehouse was measured",
                "Leave it out until a run of this release has ended",
            )
        try:
            find_run(connection, settings.baseline)
        except CharthouseError as error:
            raise CharthouseError(f"quality.baseline {error.problem}", error.fix) from None


def crossed(connection: Connection, run_ids: list[str]) -> dict[str, int]:
    """How many comparisons of runs crossed a threshold, by status."""
    return dict(
        connection.execute(
            f"SELECT status, count(*) FROM {QUALITY_DRIFT.name} "
            f"WHERE list_contains(?, run_id) AND status NOT IN ('{OK}', 'too_few') "
            "GROUP BY status",
            [run_ids],
        ).fetchall()
    )


def crossed_before(connection: Connection, run_id: str) -> dict[str, int]:
    """How many thresholds the latest run that was measured crossed, by status.

    Nothing where that is the given run itself: its own are no earlier ones.
    """
    ((latest,),) = connection.execute(
        f"SELECT max(run_id) FROM {QUALITY.name} JOIN runs r USING (run_id) WHERE r.status = 'done'"
    ).fetchall()
    return {} if latest in (None, run_id) else crossed(connection, [latest])
