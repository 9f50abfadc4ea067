"""Concepts that documents name together."""

from __future__ import annotations

from typing import Any

import altair as alt

from flows.reporting.charts import SEQUENCE, Figure, finished, in_order
from flows.reporting.context import Context
from flows.reporting.markup import Cell, empty, table_html
from flows.reporting.section import Section
from flows.warehouse.views.concepts import FIRST

_SHOWN = 20
"""Concepts a side: more cannot be read."""

_PAIRS = f"""
WITH top AS (
  SELECT concept_id, linkset_id, release_id, sum(documents) AS n
  FROM concept_totals JOIN {FIRST} l USING (linkset_id) GROUP BY ALL
  ORDER BY n DESC, sum(mentions) DESC, concept_id LIMIT ?
), named AS (
  -- One name of several concepts would put their squares in one place.
  SELECT t.*, CASE WHEN count(*) OVER (PARTITION BY coalesce(c.concept_name, t.concept_id)) > 1
      THEN concat(c.concept_name, ' (', t.concept_id, ')')
      ELSE coalesce(c.concept_name, t.concept_id) END AS name,
    row_number() OVER (ORDER BY n DESC, concept_id) AS place
  FROM top t LEFT JOIN concepts c USING (release_id, concept_id)
)
SELECT a.name, b.name AS other, a.place, b.place AS other_place, p.documents, p.sentences,
  p.document_pmi AS pmi
FROM concept_pairs p
JOIN named a ON a.linkset_id = p.linkset_id AND a.concept_id = p.first_id
JOIN named b ON b.linkset_id = p.linkset_id AND b.concept_id = p.second_id
ORDER BY p.documents DESC, a.name, b.name
"""

_STRONGEST = f"""
WITH strong AS (
  SELECT p.*, l.release_id FROM concept_pairs p JOIN {FIRST} l USING (linkset_id)
  WHERE p.documents >= $least AND p.document_pmi IS NOT NULL
  ORDER BY p.document_pmi DESC, p.documents DESC, p.first_id, p.second_id LIMIT $top
)
SELECT coalesce(a.concept_name, s.first_id) AS name, coalesce(b.concept_name, s.second_id) AS other,
  s.documents, s.first_documents, s.second_documents, s.sentences, s.document_pmi AS pmi
FROM strong s
LEFT JOIN concepts a ON a.release_id = s.release_id AND a.concept_id = s.first_id
LEFT JOIN concepts b ON b.release_id = s.release_id AND b.concept_id = s.second_id
ORDER BY pmi DESC, s.documents DESC, s.first_id, s.second_id
"""

_PAIR_CELLS = (
    Cell("name", "concept"),
    Cell("other", "other concept"),
    Cell("documents", "documents"),
    Cell("sentences", "sentences"),
    Cell("pmi", "PMI (bits)", ".2f"),
)

_STRONG_CELLS = (
    Cell("name", "concept"),
    Cell("other", "other concept"),
    Cell("documents", "documents with both"),
    Cell("first_documents", "with the one"),
    Cell("second_documents", "with the other"),
    Cell("sentences", "sentences with both"),
    Cell("pmi", "PMI (bits)", ".2f"),
)


def together(context: Context) -> Section:
    """Heat maps of the top concepts, by documents and by PMI, and the strongest pairs."""
    pairs = context.rows(_PAIRS, [_SHOWN])
    if not pairs:
        return Section(
            "together", "Named together", empty("No two concepts are named by the same documents.")
        )
    names = _names(pairs)
    both = pairs + [
        pair | {"name": pair["other"], "other": pair["name"]}
        for pair in pairs
        if pair["name"] != pair["other"]
    ]
    counts = Figure(
        "together-documents",
        "By documents that name both",
        "Each square is a pair of top concepts: the stronger its colour, the more documents name "
        "both. Frequent concepts meet often by chance alone.",
        _map(
            both,
            names,
            "documents",
            "documents",
            ",.0f",
            _count_scale([pair["documents"] for pair in both]),
        ),
        _PAIR_CELLS,
        pairs,
        height=30 * len(names),
    )
    above = [pair for pair in both if (pair["pmi"] or 0) > 0]
    information = Figure(
        "together-pmi",
        "By how far above chance",
        "Pointwise mutual information in bits: 0 is chance, 1 twice as often, 2 four times. "
        "Pairs at or below chance are left out.",
        _map(
            above,
            names,
            "pmi",
            "PMI (bits)",
            ".1f",
            alt.Scale(type="quantize", range=list(SEQUENCE)),
        ),
        _PAIR_CELLS,
        sorted(pairs, key=lambda pair: -(pair["pmi"] or 0)),
        height=30 * len(names),
    )
    maps = counts.html() + (information.html() if above else "")
    return Section(
        "together",
        "Named together",
        f'<div class="columns">{maps}</div>' + _strongest(context),
    )


def _strongest(context: Context) -> str:
    ((documents,),) = context.connection.execute(
        "SELECT documents FROM derivations LIMIT 1"
    ).fetchall()
    least = max(3, documents // 2000)
    rows = context.rows(_STRONGEST, {"least": least, "top": context.options.top})
    if not rows:
        return ""
    caption = f"Strongest pairs by PMI, of those that {least:,} documents or more name"
    return "<h3>Strongest pairs</h3>" + table_html(caption, _STRONG_CELLS, rows)


def _names(pairs: list[dict[str, Any]]) -> list[str]:
    """Names in the order of how many documents name them."""
    places = {pair["name"]: pair["place"] for pair in pairs} | {
        pair["other"]: pair["other_place"] for pair in pairs
    }
    return sorted(places, key=lambda name: (places[name], name))


def _count_scale(counts: list[int]) -> alt.Scale:
    """A colour for each count where there are few of them, else steps of several counts."""
    low, high = min(counts), max(counts)
    steps = high - low + 1
    if steps >= len(SEQUENCE):
        return alt.Scale(type="quantize", range=list(SEQUENCE))
    last = len(SEQUENCE) - 1
    colours = [SEQUENCE[round(last * (n + 1) / steps)] for n in range(steps)]
    return alt.Scale(type="quantize", domain=[low - 0.5, high + 0.5], range=colours)


def _map(
    rows: list[dict[str, Any]],
    names: list[str],
    measure: str,
    title: str,
    form: str,
    scale: alt.Scale,
) -> dict[str, Any]:
    axis = alt.Axis(labelLimit=130, labelPadding=4, labelFontSize=11, domain=False)
    across = alt.Axis(
        labelLimit=130, labelAngle=-60, labelPadding=4, labelFontSize=11, domain=False
    )
    chart = (
        alt.Chart()
        .mark_rect(stroke="var(--card)", strokeWidth=1)
        .encode(
            x=alt.X("other:N", sort=None, scale=in_order(names), title=None, axis=across),
            y=alt.Y("name:N", sort=None, scale=in_order(names), title=None, axis=axis),
            color=alt.Color(
                f"{measure}:Q",
                title=title,
                scale=scale,
                legend=alt.Legend(format=form, columns=7, symbolType="square"),
            ),
            tooltip=[
                alt.Tooltip("name:N", title="concept"),
                alt.Tooltip("other:N", title="and"),
                alt.Tooltip("documents:Q", title="documents", format=","),
                alt.Tooltip("sentences:Q", title="sentences", format=","),
                alt.Tooltip("pmi:Q", title="PMI (bits)", format=".2f"),
            ],
        )
    )
    return finished(chart, max(120, 20 * len(names)), rows)
