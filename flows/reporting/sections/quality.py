"""What is measured after each run, and how far the run is from the one before."""

from __future__ import annotations

import altair as alt

from flows.quality.schema import ALL, BASELINE, PREVIOUS, WAREHOUSE
from flows.reporting.charts import ACCENT, Figure, finished, in_order
from flows.reporting.context import Context
from flows.reporting.markup import Cell, Row, empty, note, table_html
from flows.reporting.section import Section

_HISTORY = """
SELECT q.run_id, r.started_at::VARCHAR AS started_at, q.documents, q.mentions,
  q.mentions_per_1000, q.mean_score, q.link_share, q.abstention_share, q.out_of_vocabulary_share,
  q.reject_share
FROM quality q LEFT JOIN runs r USING (run_id)
WHERE q.scope = ? AND q.corpus = ? AND q.label = ? ORDER BY q.run_id DESC LIMIT 30
"""

_DRIFT = """
SELECT against, corpus, label, measure, before, after, value, warn, fail, status
FROM quality_drift WHERE run_id = ?
ORDER BY CASE status WHEN 'failed' THEN 0 WHEN 'warning' THEN 1 WHEN 'ok' THEN 2 ELSE 3 END,
  against DESC, abs(value) DESC NULLS LAST, corpus, label, measure
"""

_SHARES = {
    "link_share": "linked",
    "abstention_share": "candidates, none taken",
    "out_of_vocabulary_share": "no candidate",
    "reject_share": "records rejected",
}

_HISTORY_CELLS = (
    Cell("run_id", "run"),
    Cell("documents", "documents"),
    Cell("mentions", "mentions"),
    Cell("mentions_per_1000", "mentions in 1,000 characters", ".2f"),
    Cell("mean_score", "mean score", ".3f"),
    *(Cell(name, words, ".1%") for name, words in _SHARES.items()),
)

_DRIFT_CELLS = (
    Cell("measure", "measure"),
    Cell("corpus", "corpus"),
    Cell("label", "label"),
    Cell("against", "against"),
    Cell("before", "before", ".3f"),
    Cell("after", "after", ".3f"),
    Cell("value", "change", ".3f"),
    Cell("warn", "warns at", ".3g"),
    Cell("fail", "fails at", ".3g"),
    Cell("status", "status", status=True),
)

_DRIFT_ROWS = 200

_STATUS = {"too_few": "of too few mentions to judge"}

_AGAINST = {
    PREVIOUS: "the run before",
    BASELINE: "the baseline",
    "limit": "the limits that settings give",
}


def quality(context: Context) -> Section:
    """Shares over runs, and drift against the previous run and a baseline."""
    history = context.rows(_HISTORY, [WAREHOUSE, ALL, ALL])[::-1]
    drift = context.rows(_DRIFT, [context.run_id])
    parts = [_over_runs(history).html()] if history else [empty("Quality was not measured.")]
    parts.append("<h3>Drift</h3>")
    parts.append(
        _drift(drift)
        if drift
        else empty(
            f"Not measured: run {_short(context.run_id)} "
            "has no earlier run or baseline that it was compared with."
        )
    )
    return Section("quality", "Quality and drift", "".join(parts))


def _over_runs(history: list[Row]) -> Figure:
    points = [
        {"run": _short(row["run_id"]), "measure": words, "share": row[name]}
        for row in history
        for name, words in _SHARES.items()
        if row[name] is not None
    ]
    order = [_short(row["run_id"]) for row in history]
    chart = (
        alt.Chart()
        .mark_line(point={"filled": True, "size": 50, "color": ACCENT}, color=ACCENT)
        .encode(
            x=alt.X(
                "run:N",
                scale=in_order(order),
                sort=None,
                title="run",
                axis=alt.Axis(labelAngle=-40, labelOverlap=True),
            ),
            y=alt.Y("share:Q", title=None, axis=alt.Axis(format=".0%", tickCount=5)),
            color=alt.Color("measure:N", title=None),
            tooltip=[
                alt.Tooltip("run:N", title="run"),
                alt.Tooltip("measure:N", title="share"),
                alt.Tooltip("share:Q", title="value", format=".1%"),
            ],
        )
    )
    return Figure(
        "quality-runs",
        "Shares over the runs",
        "Of all documents that were current after each run: the share of mentions with a concept, "
        "of those without one by why, and of records that were rejected.",
        finished(chart, 220, points),
        _HISTORY_CELLS,
        history,
        height=340,
    )


def _drift(rows: list[Row]) -> str:
    counts = {
        status: sum(row["status"] == status for row in rows)
        for status in ("failed", "warning", "ok", "too_few")
    }
    words = ", ".join(f"{n:,} {_STATUS.get(status, status)}" for status, n in counts.items() if n)
    against = sorted(
        {str(row["against"]) for row in rows}, key=lambda name: (name != PREVIOUS, name)
    )
    said = note(
        f"Compared with {' and '.join(_AGAINST.get(name, name) for name in against)}: {words}. "
        "Measures that end in psi are population stability indices, in js Jensen-Shannon distances."
    )
    watched = [row for row in rows if row["warn"] is not None or row["fail"] is not None]
    first = table_html("Drift of this run, where a threshold is set", _DRIFT_CELLS, watched)
    every = table_html("All drift of this run", _DRIFT_CELLS, rows[:_DRIFT_ROWS])
    more = "" if len(rows) <= _DRIFT_ROWS else note(f"The first {_DRIFT_ROWS} are shown.")
    return (
        said
        + (first if watched else "")
        + f"<details><summary>All measures</summary>{every}{more}</details>"
    )


def _short(run_id: str) -> str:
    """The moment of a run, from its id: 2026-11-27 03:26."""
    stamp = run_id.partition("-")[0]
    if len(stamp) != 15 or stamp[8] != "T":
        return run_id
    return f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]} {stamp[9:11]}:{stamp[11:13]}:{stamp[13:]}"
