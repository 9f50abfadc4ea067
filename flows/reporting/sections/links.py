"""How much was linked to the ontology, and how."""

from __future__ import annotations

import altair as alt

from flows.reporting.charts import CATEGORIES, Figure, finished, in_order
from flows.reporting.context import Context
from flows.reporting.markup import Cell, empty, table_html
from flows.reporting.section import Section
from flows.warehouse.views.concepts import FIRST

_METHODS = {
    "exact": "the same name",
    "equivalent": "an equivalent name",
    "part": "part of the name",
    "broader": "a broader name",
    "ngram": "a near name (n-grams)",
    "dense": "a near name (encoder)",
    "reranked": "weighed by a language model",
    "generated": "named by a language model",
    "context": "chosen by context",
    "other": "in another way",
    "ambiguous": "not linked: ambiguous",
    "below_threshold": "not linked: too far",
    "no_candidate": "not linked: no candidate",
    "not_looked_up": "not linked: not looked up",
}
"""In the order of the bars' parts: firm links first, none last."""

_COLOURS = {
    **dict(zip(list(_METHODS)[:8], CATEGORIES, strict=True)),
    "context": "var(--cat-8)",
    "other": "var(--muted)",
    "ambiguous": "var(--none-1)",
    "below_threshold": "var(--none-2)",
    "no_candidate": "var(--none-3)",
    "not_looked_up": "var(--line)",
}

_UNLINKED = ("ambiguous", "below_threshold", "no_candidate", "not_looked_up")

_HOW = f"""CASE WHEN n.status IS NULL THEN 'not_looked_up' WHEN n.status != 'linked' THEN n.status
  WHEN n.method IN {tuple(_METHODS)} THEN n.method ELSE 'other' END"""
"""A method without words and a colour here is ``other``, and so is none."""

_QUERY = f"""
SELECT label, method, sum(mentions)::BIGINT AS mentions FROM (
  SELECT t.label, {_HOW} AS method, t.mentions - t.linked_by_context AS mentions
  FROM name_totals t JOIN {FIRST} l ON true LEFT JOIN name_links n ON n.lookup_text = t.lookup_text
    AND n.label = t.label AND n.linkset_id = l.linkset_id AND n.rank = 1
  UNION ALL
  SELECT t.label, 'context', t.linked_by_context FROM name_totals t JOIN {FIRST} ON true
) GROUP BY ALL HAVING sum(mentions) > 0
"""


def links(context: Context) -> Section:
    """Shares of mentions by method of their link, for each label."""
    found = context.rows(_QUERY)
    if not found:
        return Section("links", "Links", empty("There is no ontology, or no mention to link."))
    order = list(_METHODS)
    totals: dict[str, int] = {}
    for row in found:
        totals[row["label"]] = totals.get(row["label"], 0) + row["mentions"]
    rows = [
        row
        | {
            "share": row["mentions"] / totals[row["label"]],
            "part": order.index(row["method"]),
            "how": _METHODS[row["method"]],
        }
        for row in found
    ]
    rows.sort(key=lambda row: (-totals[row["label"]], row["label"], row["part"]))
    shares = [
        {
            "label": label,
            "mentions": total,
            "linked": sum(
                row["share"]
                for row in rows
                if row["label"] == label and row["method"] not in _UNLINKED
            ),
        }
        for label, total in sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    ]
    present = [name for name in order if any(row["method"] == name for row in rows)]
    figure = _figure(rows, list(totals), present)
    cells = (Cell("label", "label"), Cell("mentions", "mentions"), Cell("linked", "linked", ".1%"))
    return Section("links", "Links", figure.html() + table_html("Linked share", cells, shares))


def _figure(rows: list[dict[str, object]], labels: list[str], present: list[str]) -> Figure:
    height = 34 * len(labels) + 8
    names = list(dict.fromkeys(str(row["label"]) for row in rows))
    chart = (
        alt.Chart()
        .mark_bar(cornerRadius=0, height={"band": 0.7})
        .encode(
            y=alt.Y(
                "label:N", scale=in_order(names), sort=None, title=None, axis=alt.Axis(domain=False)
            ),
            x=alt.X(
                "share:Q",
                title="share of mentions",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format=".0%", tickCount=5),
            ),
            color=alt.Color(
                "how:N",
                title=None,
                scale=alt.Scale(
                    domain=[_METHODS[name] for name in present],
                    range=[_COLOURS[name] for name in present],
                ),
            ),
            order=alt.Order("part:Q"),
            tooltip=[
                alt.Tooltip("label:N", title="label"),
                alt.Tooltip("how:N", title="linked by"),
                alt.Tooltip("mentions:Q", title="mentions", format=","),
                alt.Tooltip("share:Q", title="share", format=".1%"),
            ],
        )
    )
    return Figure(
        "links-methods",
        "How mentions were linked",
        "For each label the share of its mentions by how their concept was found; the grey parts "
        "have none. Of the first ontology.",
        finished(chart, height, rows),
        (
            Cell("label", "label"),
            Cell("how", "linked by"),
            Cell("mentions", "mentions"),
            Cell("share", "share", ".1%"),
        ),
        rows,
        height=height + 140,
    )
