"""A treemap (Bruls, Huizing and van Wijk 2000), which Vega draws and Vega-Lite has not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flows.reporting.charts import FONT, Spec
from flows.reporting.markup import Row

_WITHIN = {"signal": "max(1, datum.x1 - datum.x0 - 10)"}
"""Pixels that a name may be long."""


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
            _words(6, "datum.name", (42, 20), "var(--ink)", 12, limit=_WITHIN),
            _words(22, "format(datum.share, '.1%')", (48, 40), "var(--muted)", 11),
        ],
    }


def _words(
    down: int, text: str, room: tuple[int, int], colour: str, size: int, **more: Any
) -> dict[str, Any]:
    """Words within each branch, so many pixels down, where it is wider and higher than ``room``."""
    width, height = room
    return {
        "type": "text",
        "interactive": False,
        "from": {"data": "branches"},
        "encode": {
            "update": {
                "x": {"signal": "datum.x0 + 6"},
                "y": {"signal": f"datum.y0 + {down}"},
                "baseline": {"value": "top"},
                "text": {
                    "signal": f"datum.x1 - datum.x0 > {width} && datum.y1 - datum.y0 > {height} "
                    f"? {text} : ''"
                },
                **more,
                "fill": {"value": colour},
                "font": {"value": FONT},
                "fontSize": {"value": size},
            }
        },
    }
