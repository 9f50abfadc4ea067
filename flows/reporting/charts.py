"""Charts: Vega-Altair's specifications, their theme, and the figure that each stands in.

Colours are CSS custom properties of the page. Vega draws SVG and hands colours on as they are, so
charts follow light, dark and print with the rest of the page, without being drawn anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from flows.reporting.markup import Cell, Row, escaped, json_block, note, table_html

Spec = dict[str, Any]

CATEGORIES = tuple(f"var(--cat-{n})" for n in range(1, 9))
SEQUENCE = tuple(f"var(--seq-{n})" for n in range(1, 8))
ACCENT = "var(--accent)"

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

THEME: Spec = {
    "background": None,
    "font": FONT,
    "aria": False,
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)",
        "titleColor": "var(--muted)",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "domainColor": "var(--line)",
        "gridColor": "var(--line)",
        "ticks": False,
        "labelPadding": 6,
        "labelLimit": 190,
    },
    "axisBand": {"grid": False},
    "legend": {
        "labelColor": "var(--ink)",
        "titleColor": "var(--muted)",
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "orient": "top",
        "symbolType": "square",
        "columns": 4,
        "labelLimit": 200,
    },
    "header": {"labelColor": "var(--ink)", "titleColor": "var(--muted)", "labelFontSize": 12},
    "bar": {"color": ACCENT, "cornerRadiusEnd": 3},
    "line": {"color": ACCENT, "strokeWidth": 2},
    "point": {"color": ACCENT, "filled": True, "size": 55},
    "rule": {"color": "var(--muted)"},
    "text": {"color": "var(--ink)", "fontSize": 12},
    "range": {"category": list(CATEGORIES), "ramp": list(SEQUENCE), "heatmap": list(SEQUENCE)},
}


@dataclass(frozen=True)
class Figure:
    """A chart with its title, what it shows in words, and its numbers as a table.

    Attributes:
        id: of its element.
        title: its heading.
        meaning: how to read it, for everybody; also the chart's accessible name.
        spec: of Vega-Lite, or of Vega where ``mode`` says so.
        cells: columns of the table of its numbers.
        rows: the numbers.
        height: pixels that it will be high, about, so that the page does not jump.
    """

    id: str
    title: str
    meaning: str
    spec: Spec
    cells: tuple[Cell, ...]
    rows: Sequence[Row]
    mode: str = "vega-lite"
    height: int = 300

    def html(self) -> str:
        """The figure as part of a page."""
        spec = {name: value for name, value in self.spec.items() if name != "$schema"}
        spec["config"] = {}  # the page's own
        name = f"{self.title}. {self.meaning} The numbers are in the table that follows."
        return (
            f'<figure class="chart" id="{escaped(self.id)}"><h3>{escaped(self.title)}</h3>'
            f"{note(self.meaning)}"
            f'<div class="drawing" role="img" aria-label="{escaped(name)}" '
            f'data-mode="{self.mode}" style="min-height:{self.height}px"></div>'
            f"{json_block(self.id + '-spec', spec)}"
            f"<details><summary>The numbers<span class='visually-hidden'> of "
            f"{escaped(self.title)}</span></summary>"
            f"{table_html(self.title, self.cells, self.rows)}</details></figure>"
        )


def bars(
    rows: Sequence[Row],
    value: str,
    name: str,
    *,
    titles: tuple[str, str],
    colour: str | None = None,
    form: str = "",
    tooltip: Sequence[alt.Tooltip] = (),
) -> tuple[Spec, int]:
    """Bars that lie, longest first as the rows come; and the height of the chart in pixels.

    Args:
        rows: one a bar, or one a part of a bar where ``colour`` tells parts apart.
        value: the column of lengths.
        name: the column of what the bars are.
        titles: of the two, for axis and tooltip.
        colour: the column of the parts.
        form: of the numbers, as d3-format has it; of counts where it is empty.
        tooltip: more to show of a bar.
    """
    names = list(dict.fromkeys(str(row[name]) for row in rows))
    height = 24 * len(names) + 8
    axis = alt.Axis(format=form, tickCount=5) if form else count_axis(row[value] for row in rows)
    form = form or ","
    y = alt.Y(
        f"{name}:N", scale=in_order(names), sort=None, title=None, axis=alt.Axis(domain=False)
    )
    x = alt.X(f"{value}:Q", title=titles[0], axis=axis)
    tips = [
        alt.Tooltip(f"{name}:N", title=titles[1]),
        *([alt.Tooltip(f"{colour}:N")] if colour else []),
        alt.Tooltip(f"{value}:Q", title=titles[0], format=form),
        *tooltip,
    ]
    chart = alt.Chart().mark_bar(height={"band": 0.72}).encode(x=x, y=y, tooltip=tips)
    if colour:
        parts = list(dict.fromkeys(str(row[colour]) for row in rows))
        chart = chart.mark_bar(height={"band": 0.72}, cornerRadius=0).encode(
            color=coloured(colour, parts), order=alt.Order("part:O")
        )
    return finished(chart, height, rows), height + 60 + (30 if colour else 0)


def count_axis(counts: Iterable[int]) -> alt.Axis:
    """An axis of counts: whole numbers, or 20k, 4M where they are long."""
    form = "~s" if max(counts, default=0) >= 20_000 else ",d"
    return alt.Axis(format=form, tickCount=5, tickMinStep=1)


def in_order(names: Sequence[str]) -> alt.Scale:
    """A scale of names in their order.

    ``sort`` would do the same, but by an expression that holds the names, and not every name can
    stand in one.
    """
    return alt.Scale(domain=list(names))


def coloured(field: str, names: Sequence[str]) -> alt.Color:
    """A colour for each of a field's names, in their order; the legend has no title."""
    scale = alt.Scale(domain=list(names), range=palette(len(names)))
    return alt.Color(f"{field}:N", title=None, scale=scale)


def palette(parts: int) -> list[str]:
    """Colours of so many categories; they come again after eight."""
    return [CATEGORIES[n % len(CATEGORIES)] for n in range(parts)]


def finished(
    chart: alt.Chart | alt.LayerChart | alt.FacetChart, height: int, rows: Sequence[Row]
) -> Spec:
    """The specification of a chart of rows, as wide as its place and so many pixels high."""
    spec: Spec = chart.properties(width="container", height=height).to_dict()
    spec.pop("datasets", None)
    for part in (spec, *spec.get("layer", ())):
        part.pop("data", None)
    spec["data"] = {"values": list(rows)}
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return spec
