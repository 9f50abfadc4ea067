"""A treemap (Bruls, Huizing and van Wijk 2000), which Vega draws and Vega-Lite has not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flows.reporting.charts import FONT, Spec
from flows.reporting.markup import Row


def treemap(rows: Sequence[Row], height: int) -> Spec:
    """A specification of Vega: two levels, category and branch.

    Args:
        rows: with ``category``, ``name``, ``branch`` (its number, or None), ``mentions``,
            ``share`` and ``concepts`` (its most frequent ones, in words).
        height: pixels.
    """
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
        "height": height,
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
                        "text": {
                            "signal": "datum.x1 - datum.x0 > 42 && datum.y1 - datum.y0 > 20 "
                            "? datum.name : ''"
                        },
                        "limit": {"signal": "max(1, datum.x1 - datum.x0 - 10)"},
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
                        "text": {
                            "signal": "datum.x1 - datum.x0 > 48 && datum.y1 - datum.y0 > 40 "
                            "? format(datum.share, '.1%') : ''"
                        },
                        "fill": {"value": "var(--muted)"},
                        "font": {"value": FONT},
                        "fontSize": {"value": 11},
                    }
                },
            },
        ],
    }
