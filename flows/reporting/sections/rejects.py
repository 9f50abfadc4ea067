"""Records that could not be processed, by reason."""

from __future__ import annotations

from collections import Counter

from flows.artifact import reason_group
from flows.incoming import WHOLE_FILE
from flows.reporting.charts import Figure, bars
from flows.reporting.context import Context
from flows.reporting.markup import Cell, empty
from flows.reporting.section import Section

_QUERY = """
SELECT stage, reason, ordinal = ? AS whole, count(*) AS records,
  count(*) FILTER (run_id = ?) AS of_run
FROM rejects GROUP BY ALL
"""


def rejects(context: Context) -> Section:
    """Bars of the reasons, in fixed words: a reason as stored may quote the name of a column."""
    records, of_run = Counter[str](), Counter[str]()
    for row in context.rows(_QUERY, [WHOLE_FILE, context.run_id]):
        group = reason_group(row["reason"], row["stage"], WHOLE_FILE if row["whole"] else 0)
        records[group] += row["records"]
        of_run[group] += row["of_run"]
    if not records:
        return Section("rejects", "Rejects", empty("No record was rejected."))
    rows = [
        {"reason": group, "records": count, "of_run": of_run[group]}
        for group, count in sorted(records.items(), key=lambda item: (-item[1], item[0]))
    ]
    spec, height = bars(rows, "records", "reason", titles=("records", "reason"))
    figure = Figure(
        "rejects-reasons",
        "Records rejected, by reason",
        "Records that no run could process, as they stand now. charthouse rejects lists them.",
        spec,
        (Cell("reason", "reason"), Cell("records", "records"), Cell("of_run", "of this run")),
        rows,
        height=height,
    )
    return Section("rejects", "Rejects", figure.html())
