"""The latest runs, and the numbers of the one that the page is about."""

from __future__ import annotations

from flows.reporting.context import Context
from flows.reporting.markup import Cell, escaped, note, table_html
from flows.reporting.section import Section
from flows.warehouse.runs import GENERATES

_RUNS = 12

_COUNTS = {
    "read": "records in its sources",
    "new": "documents seen for the first time",
    "replaced": "documents annotated anew",
    "skipped": "already done, unchanged",
    "metadata_updated": "only metadata changed",
    "duplicates": "identical records of one document",
    "superseded": "older versions of a document",
    "deleted": "withdrawn by their source",
    "pruned": "vanished from their source",
    "forgotten": "records of what is to stay forgotten",
    "rejected": "records that could not be processed",
}

_TABLE = (
    Cell("run_id", "run"),
    Cell("job", "job"),
    Cell("status", "status", status=True),
    Cell("started_at", "started (UTC)"),
    Cell("seconds", "seconds", ",.1f"),
    Cell("read", "read"),
    Cell("new", "new"),
    Cell("replaced", "replaced"),
    Cell("skipped", "skipped"),
    Cell("deleted", "deleted"),
    Cell("rejected", "rejected"),
)


def runs(context: Context) -> Section:
    """A table of the latest runs, and what became of each record that this run read."""
    latest = context.rows(
        f"SELECT run_id, CASE WHEN {GENERATES} THEN 'generate' ELSE 'run' END AS job, status, "
        "started_at, epoch(finished_at - started_at) AS seconds, read, new, replaced, skipped, "
        f"deleted, rejected FROM runs ORDER BY run_id DESC LIMIT {_RUNS}"
    )
    (run,) = context.rows("SELECT * FROM runs WHERE run_id = ?", [context.run_id])
    counts = [
        {"count": name.replace("_", " "), "records": run[name], "meaning": meaning}
        for name, meaning in _COUNTS.items()
        if run[name] is not None
    ]
    stages = [
        {"stage": name, "seconds": value}
        for name, value in (run["seconds"] or {}).items()
        if value is not None and name != "total"
    ]
    return Section(
        "runs",
        "Runs",
        note("Every run that this warehouse has seen, the latest first; at most twelve.")
        + table_html("Latest runs", _TABLE, latest)
        + f"<h3>Run {escaped(context.run_id)}</h3>"
        + '<div class="columns">'
        + table_html(
            "What became of each record",
            (Cell("count", "count"), Cell("records", "records"), Cell("meaning", "meaning")),
            counts,
        )
        + table_html(
            "Wall seconds by stage",
            (Cell("stage", "stage"), Cell("seconds", "seconds", ",.2f")),
            stages,
        )
        + "</div>",
    )
