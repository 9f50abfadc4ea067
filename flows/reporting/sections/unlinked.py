"""Names that the ontology does not know: what to add to it."""

from __future__ import annotations

import altair as alt

from flows.reporting.charts import Figure, bars
from flows.reporting.context import Context
from flows.reporting.markup import Cell, empty, note, table_html
from flows.reporting.section import Section
from flows.warehouse.views.concepts import FIRST

_COUNTS = """
SELECT label, replace(status, '_', ' ') AS status, count(*) AS names,
  sum(left_over)::BIGINT AS mentions, sum(left_over) FILTER (left_over >= 10)::BIGINT AS frequent
FROM (SELECT *, mentions - linked_by_context AS left_over FROM unlinked_names)
GROUP BY ALL ORDER BY mentions DESC, label, status
"""

_NAMES = """
SELECT lookup_text, label, replace(status, '_', ' ') AS status,
  mentions - linked_by_context AS left_over, linked_by_context, candidate_name, candidate_score
FROM unlinked_names ORDER BY left_over DESC, lookup_text, label LIMIT ?
"""

_BY_CONTEXT = f"""
SELECT coalesce(sum(t.linked_by_context), 0)::BIGINT AS mentions
FROM name_totals t JOIN {FIRST} l ON true JOIN name_links n ON n.lookup_text = t.lookup_text
  AND n.label = t.label AND n.linkset_id = l.linkset_id AND n.rank = 1 AND n.status != 'linked'
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
    Cell("left_over", "mentions without a concept"),
    Cell("linked_by_context", "linked by context"),
    Cell("candidate_name", "best candidate"),
    Cell("candidate_score", "its score", ".2f"),
)


def unlinked(context: Context) -> Section:
    """Counts by label and reason; the names themselves only where text may be shown."""
    counts = context.rows(_COUNTS)
    if not counts:
        why = "No mention is left without a concept." + _despite(context)
        if not context.rows(f"FROM {FIRST}"):
            why = "There is no ontology to look names up in."
        return Section("unlinked", "Unlinked names", empty(why))
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
        "By label and why their name has none: no candidate at all, none near enough, or several "
        "alike." + _despite(context),
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


def _despite(context: Context) -> str:
    """How many more have a concept although their name has none."""
    (by_context,) = context.rows(_BY_CONTEXT)
    if not by_context["mentions"]:
        return ""
    return (
        f" Left out: {by_context['mentions']:,} whose name has none, but for which the sentence "
        "decided for a concept."
    )
