"""Mentions along the tree of MeSH, as a treemap."""

from __future__ import annotations

from typing import Any

from flows.reporting.charts import FONT, Figure
from flows.reporting.context import Context
from flows.reporting.markup import Cell, empty
from flows.reporting.section import Section
from flows.warehouse.views.concepts import FIRST

_HEIGHT = 460

CATEGORIES = {
    "A": "Anatomy",
    "B": "Organisms",
    "C": "Diseases",
    "D": "Chemicals and Drugs",
    "E": "Analytical, Diagnostic and Therapeutic Techniques, and Equipment",
    "F": "Psychiatry and Psychology",
    "G": "Phenomena and Processes",
    "H": "Disciplines and Occupations",
    "I": "Anthropology, Education, Sociology, and Social Phenomena",
    "J": "Technology, Industry, and Agriculture",
    "K": "Humanities",
    "L": "Information Science",
    "M": "Named Groups",
    "N": "Health Care",
    "V": "Publication Characteristics",
    "Z": "Geographicals",
}
"""MeSH's categories, by the first letter of a tree number; no concept stands for them."""

_OUTSIDE = "Outside the tree"

_QUERY = f"""
WITH totals AS (
  SELECT concept_id, release_id, arg_max(label, mentions) AS label, sum(mentions) AS mentions
  FROM concept_totals JOIN {FIRST} l USING (linkset_id) GROUP BY ALL
), placed AS (
  SELECT t.concept_id, t.release_id, coalesce(c.concept_name, t.concept_id) AS name, t.label,
    t.mentions / greatest(len(coalesce(c.tree_numbers, [])), 1) AS weight,
    unnest(CASE WHEN len(c.tree_numbers) > 0 THEN c.tree_numbers ELSE [NULL] END) AS place
  FROM totals t LEFT JOIN concepts c USING (release_id, concept_id)
), branches AS (
  SELECT unnest(tree_numbers) AS branch, concept_name FROM current_concepts
), grown AS (
  SELECT place[:1] AS category, split_part(place, '.', 1) AS branch, label, name,
    sum(weight) AS weight
  FROM placed GROUP BY ALL
)
SELECT g.category, g.branch, any_value(b.concept_name) AS name,
  CASE WHEN g.branch IS NULL THEN g.label END AS label, sum(g.weight) AS mentions,
  array_to_string(list(g.name ORDER BY g.weight DESC, g.name)[:3], ', ') AS concepts
FROM grown g LEFT JOIN (SELECT branch, min(concept_name) AS concept_name FROM branches
  WHERE strpos(branch, '.') = 0 GROUP BY branch) b USING (branch)
GROUP BY g.category, g.branch, CASE WHEN g.branch IS NULL THEN g.label END
ORDER BY mentions DESC, g.branch
"""

_CELLS = (
    Cell("category", "category"),
    Cell("name", "branch"),
    Cell("branch", "tree number"),
    Cell("mentions", "mentions", ",.0f"),
    Cell("share", "share", ".1%"),
    Cell("concepts", "most frequent concepts"),
)


def tree(context: Context) -> Section:
    """Mentions by branch; a concept in several places counts in each for its part."""
    rows = [_row(row) for row in context.rows(_QUERY)]
    if not rows:
        return Section("tree", "Along the hierarchy", empty("No mention is linked to a concept."))
    total = sum(row["mentions"] for row in rows)
    for row in rows:
        row["share"] = row["mentions"] / total
    if all(row["category"] == _OUTSIDE for row in rows):
        meaning = (
            "The ontology has no MeSH tree, so mentions are shown by label. Each area is as large "
            "as its number of mentions."
        )
    else:
        meaning = (
            "Each area is as large as the number of mentions of all concepts in that branch of "
            "MeSH. The mentions of a concept that stands in several places are divided among them."
        )
    figure = Figure(
        "tree-map",
        "Mentions along MeSH",
        meaning,
        _spec(rows),
        _CELLS,
        rows,
        mode="vega",
        height=_HEIGHT,
    )
    return Section("tree", "Along the hierarchy", figure.html())


def _row(row: dict[str, Any]) -> dict[str, Any]:
    category = CATEGORIES.get(row["category"] or "", row["category"]) or _OUTSIDE
    name = row["name"] or row["label"] or row["branch"]
    return row | {"category": category, "name": name}


def _spec(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A treemap (Bruls, Huizing and van Wijk 2000) in Vega; two levels, category and branch."""
    categories = list(dict.fromkeys(row["category"] for row in rows))
    nodes: list[dict[str, Any]] = [{"id": "all"}]
    nodes += [{"id": f"c{n}", "parent": "all", "name": c} for n, c in enumerate(categories)]
    nodes += [
        {
            "id": f"b{n}",
            "parent": f"c{categories.index(row['category'])}",
            "name": row["name"],
            "category": row["category"],
            "number": row["branch"] or "",
            "mentions": row["mentions"],
            "share": row["share"],
            "concepts": row["concepts"],
        }
        for n, row in enumerate(rows)
    ]
    colours = [f"var(--tint-{n % 8 + 1})" for n in range(len(categories))]
    return {
        "height": _HEIGHT,
        "padding": 0,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "signals": [
            {
                "name": "width",
                "init": "isFinite(containerSize()[0]) ? containerSize()[0] : 300",
                "on": [
                    {
                        "update": "isFinite(containerSize()[0]) ? containerSize()[0] : 300",
                        "events": "window:resize",
                    }
                ],
            }
        ],
        "data": [
            {
                "name": "nodes",
                "values": nodes,
                "transform": [
                    {"type": "stratify", "key": "id", "parentKey": "parent"},
                    {
                        "type": "treemap",
                        "field": "mentions",
                        "sort": {"field": "value", "order": "descending"},
                        "method": "squarify",
                        "round": True,
                        "paddingInner": 2,
                        "paddingOuter": 1,
                        "size": [{"signal": "width"}, {"signal": "height"}],
                    },
                ],
            },
            {
                "name": "branches",
                "source": "nodes",
                "transform": [{"type": "filter", "expr": "datum.depth === 2"}],
            },
        ],
        "scales": [{"name": "colour", "type": "ordinal", "domain": categories, "range": colours}],
        "legends": [
            {
                "fill": "colour",
                "orient": "top",
                "symbolType": "square",
                "labelColor": "var(--ink)",
                "labelFont": FONT,
                "labelFontSize": 12,
                "titleFont": FONT,
            }
        ],
        "marks": [
            {
                "type": "rect",
                "from": {"data": "branches"},
                "encode": {
                    "update": {
                        "x": {"field": "x0"},
                        "y": {"field": "y0"},
                        "x2": {"field": "x1"},
                        "y2": {"field": "y1"},
                        "cornerRadius": {"value": 3},
                        "fill": {"scale": "colour", "field": "category"},
                        "tooltip": {
                            "signal": "{'branch': datum.name, 'tree number': datum.number, "
                            "'category': datum.category, 'mentions': format(datum.mentions, ',.0f')"
                            ", 'share': format(datum.share, '.1%'), 'most frequent': "
                            "datum.concepts}"
                        },
                    }
                },
            },
            {
                "type": "text",
                "interactive": False,
                "from": {"data": "branches"},
                "encode": {
                    "update": {
                        "x": {"signal": "datum.x0 + 6"},
                        "y": {"signal": "datum.y0 + 6"},
                        "baseline": {"value": "top"},
                        "text": {"signal": "datum.name || ''"},
                        "limit": {"signal": "max(0, datum.x1 - datum.x0 - 10)"},
                        "opacity": {
                            "signal": "datum.x1 - datum.x0 > 42 && datum.y1 - datum.y0 > 20 ? 1 : 0"
                        },
                        "fill": {"value": "var(--ink)"},
                        "font": {"value": FONT},
                        "fontSize": {"value": 12},
                    }
                },
            },
            {
                "type": "text",
                "interactive": False,
                "from": {"data": "branches"},
                "encode": {
                    "update": {
                        "x": {"signal": "datum.x0 + 6"},
                        "y": {"signal": "datum.y0 + 22"},
                        "baseline": {"value": "top"},
                        "text": {"signal": "format(datum.share, '.1%')"},
                        "opacity": {
                            "signal": "datum.x1 - datum.x0 > 48 && datum.y1 - datum.y0 > 40 ? 1 : 0"
                        },
                        "fill": {"value": "var(--muted)"},
                        "font": {"value": FONT},
                        "fontSize": {"value": 11},
                    }
                },
            },
        ],
    }
