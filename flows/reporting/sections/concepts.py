"""The concepts that are named most."""

from __future__ import annotations

import altair as alt

from flows.reporting.charts import Figure, bars
from flows.reporting.context import Context
from flows.reporting.markup import Cell, empty, note
from flows.reporting.section import Section
from flows.warehouse.views.concepts import FIRST

_TOP = f"""
WITH top AS (
  SELECT concept_id, release_id, arg_max(label, mentions) AS label,
    sum(documents)::BIGINT AS documents, sum(mentions)::BIGINT AS mentions,
    sum(affirmed)::BIGINT AS affirmed, sum(negated)::BIGINT AS negated
  FROM concept_totals JOIN {FIRST} l USING (linkset_id) GROUP BY ALL
  ORDER BY documents DESC, mentions DESC, concept_id LIMIT ?
)
SELECT t.* EXCLUDE (release_id), coalesce(c.concept_name, t.concept_id) AS name
FROM top t LEFT JOIN concepts c USING (release_id, concept_id)
ORDER BY documents DESC, mentions DESC, concept_id
"""

_TABLE = (
    Cell("name", "concept"),
    Cell("concept_id", "id"),
    Cell("label", "label"),
    Cell("documents", "documents"),
    Cell("mentions", "mentions"),
    Cell("affirmed", "affirmed"),
    Cell("negated", "negated"),
)


def concepts(context: Context) -> Section:
    """Bars of the concepts that most documents name."""
    rows = context.rows(_TOP, [context.options.top])
    if not rows:
        return Section("concepts", "Top concepts", empty("No mention is linked to a concept."))
    told_apart = _with_ids(rows)
    spec, height = bars(
        told_apart,
        "documents",
        "bar",
        titles=("documents", "concept"),
        tooltip=(
            alt.Tooltip("concept_id:N", title="id"),
            alt.Tooltip("label:N", title="label"),
            alt.Tooltip("mentions:Q", title="mentions", format=","),
            alt.Tooltip("negated:Q", title="of them negated", format=","),
        ),
    )
    figure = Figure(
        "concepts-top",
        "Concepts that most documents name",
        "How many documents name each concept at least once, negated or not.",
        spec,
        _TABLE,
        rows,
        height=height,
    )
    affirmed = note(
        "Affirmed: assessed in a note, of the patient, and neither negated nor uncertain nor "
        "hypothetical. It is 0 where assertion was not assessed."
    )
    return Section("concepts", "Top concepts", figure.html() + affirmed)


def _with_ids(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Rows with the words beside their bar: the name, and the id too where two have one name."""
    names = [row["name"] for row in rows]
    return [
        row
        | {
            "bar": f"{row['name']} ({row['concept_id']})"
            if names.count(row["name"]) > 1
            else row["name"]
        }
        for row in rows
    ]
