"""Scores against gold files that are stored in the warehouse."""

from __future__ import annotations

import altair as alt

from flows.reporting.charts import Figure, coloured, finished, in_order
from flows.reporting.context import Context
from flows.reporting.markup import Cell, empty, table_html
from flows.reporting.section import Section

_QUERY = """
SELECT task, corpus, scope, label, measure, value, low, high, gold, agreed, documents, evaluated_at
FROM evaluations
QUALIFY row_number() OVER (PARTITION BY task, corpus, scope, label, measure
  ORDER BY evaluated_at DESC, evaluation_id DESC) = 1
ORDER BY task, corpus, scope, label, measure
"""

_MAIN = ("f1", "accuracy", "accuracy@1", "linked_accuracy", "acc")
_OVERALL = ("micro", "all")

_CELLS = (
    Cell("what", "judged"),
    Cell("label", "label"),
    Cell("name", "measure"),
    Cell("value", "score", ".1%"),
    Cell("low", "from", ".1%"),
    Cell("high", "to", ".1%"),
    Cell("gold", "gold"),
    Cell("agreed", "agreed"),
    Cell("documents", "documents"),
    Cell("evaluated_at", "when (UTC)"),
)


def evaluations(context: Context) -> Section:
    """The latest score of each measure, with its 95% interval."""
    rows = [
        row
        | {
            "what": f"{row['corpus']}, {row['task']}, {row['scope'].replace('_', ' ')}",
            "name": row["measure"].replace("_", " "),
        }
        for row in context.rows(_QUERY)
    ]
    if not rows:
        return Section(
            "evaluations",
            "Evaluations",
            empty("No scores are stored. charthouse evaluate ... --warehouse keeps them here."),
        )
    main = [row for row in rows if row["measure"] in _MAIN]
    overall = [row for row in main if row["label"] in _OVERALL] or main
    body = _figure(overall[:40]).html() if overall else ""
    return Section(
        "evaluations",
        "Evaluations",
        body
        + "<details><summary>All scores, by label and measure</summary>"
        + table_html("Latest scores of each measure", _CELLS, rows)
        + "</details>",
    )


def _figure(rows: list[dict[str, object]]) -> Figure:
    measures = sorted({str(row["name"]) for row in rows})
    names = list(dict.fromkeys(str(row["what"]) for row in rows))
    # Of several measures each has its own line, so that none covers another.
    height = max(30, 8 + 18 * len(measures)) * len(names) + 8
    y = alt.Y(
        "what:N",
        scale=in_order(names),
        sort=None,
        title=None,
        axis=alt.Axis(labelLimit=260, domain=False, grid=True),
    )
    base = alt.Chart().encode(
        y=y,
        yOffset=alt.YOffset("name:N", scale=in_order(measures)),
        color=coloured("name", measures),
        tooltip=[
            alt.Tooltip("what:N", title="judged"),
            alt.Tooltip("name:N", title="measure"),
            alt.Tooltip("value:Q", title="score", format=".1%"),
            alt.Tooltip("low:Q", title="from", format=".1%"),
            alt.Tooltip("high:Q", title="to", format=".1%"),
            alt.Tooltip("documents:Q", title="documents", format=","),
        ],
    )
    axis = alt.Axis(format=".0%", tickCount=5)
    scale = alt.Scale(domain=[0, 1])
    spans = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title="score, with its 95% interval", scale=scale, axis=axis), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=alt.X("value:Q", scale=scale, axis=axis)
    )
    return Figure(
        "evaluations-scores",
        "Scores against gold",
        "Overall scores of the latest evaluation of each kind; lines are 95% bootstrap intervals.",
        finished(alt.layer(spans, points), height, rows),
        _CELLS,
        rows,
        height=height + 80,
    )
