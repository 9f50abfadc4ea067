"""Names that the ontology does not know: what to add to it."""

from __future__ import annotations

import altair as alt

from flows.reporting.charts import Figure, bars
from flows.reporting.context import Context
from flows.reporting.markup import Cell, empty, note, table_html
from flows.reporting.section import Section

_COUNTS = """
SELECT label, replace(status, '_', ' ') AS status, count(*) AS names,
  sum(mentions)::BIGINT AS mentions, sum(mentions) FILTER (mentions >= 10)::BIGINT AS frequent
FROM unlinked_names GROUP BY ALL ORDER BY mentions DESC, label, status
"""

_NAMES = """
SELECT lookup_text, label, replace(status, '_', ' ') AS status, mentions, documents,
  candidate_name, candidate_score
FROM unlinked_names ORDER BY mentions DESC, lookup_text, label LIMIT ?
"""

_COUNT_CELLS = (
    Cell("label", "label"),
    Cell("status", "why"),
    Cell("names", "distinct names"),
    Cell("mentions", "mentions"),
    Cell("frequent", "of names with 10 mentions or more"),
)

_NAME_CELLS = (
    Cell("lookup_text", "name"),
    Cell("label", "label"),
    Cell("status", "why"),
    Cell("mentions", "mentions"),
    Cell("documents", "documents"),
    Cell("candidate_name", "best candidate"),
    Cell("candidate_score", "its score", ".2f"),
)


def unlinked(context: Context) -> Section:
    """Counts by label and reason; the names themselves only where text may be shown."""
    counts = context.rows(_COUNTS)
    if not counts:
        return Section("unlinked", "Unlinked names", empty("Every name has a concept."))
    parts = [
        row | {"part": row["status"]}
        for row in counts  # one a part of a label's bar
    ]
    spec, height = bars(
        parts,
        "mentions",
        "label",
        titles=("mentions", "label"),
        colour="status",
        tooltip=(alt.Tooltip("names:Q", title="distinct names", format=","),),
    )
    figure = Figure(
        "unlinked-counts",
        "Mentions without a concept",
        "Mentions whose name has no concept, by label and why: no candidate at all, none near "
        "enough, or several alike.",
        spec,
        _COUNT_CELLS,
        counts,
        height=height,
    )
    body = figure.html()
    if context.options.with_text:
        names = context.rows(_NAMES, [context.options.top])
        body += "<h3>The most frequent</h3>" + table_html(
            "Names without a concept, by mentions", _NAME_CELLS, names
        )
    else:
        body += note(
            "The names are text of documents, so they are not in this page. "
            "charthouse report --with-text shows them, and so does the view unlinked_names."
        )
    return Section("unlinked", "Unlinked names", body)
