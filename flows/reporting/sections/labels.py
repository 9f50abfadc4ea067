"""Labels of mentions, and how sure the models were."""

from __future__ import annotations

import altair as alt

from flows.reporting.charts import CATEGORIES, Figure, bars, count_axis, finished, palette
from flows.reporting.context import Context
from flows.reporting.markup import Cell, Row, empty
from flows.reporting.section import Section
from flows.showing.colours import colour_of
from flows.warehouse.views.concepts import FIRST

_BINS = 20
_HIGH = f"CASE WHEN bin < {_BINS} THEN (bin + 1) / {_BINS}.0 END"
"""Exactly 1 is a bin of its own, as in quality_histograms: matches of dictionaries, same names."""
_ONE = "exactly 1"

_HEIGHT = 240

_LABELS = """
SELECT label, sum(mentions)::BIGINT AS mentions, count(*) AS names,
  sum(mentions) / sum(sum(mentions)) OVER () AS share
FROM name_totals GROUP BY label ORDER BY mentions DESC, label
"""

_MEASURED = """
SELECT label, bin, low, high, count FROM quality_histograms
WHERE run_id = ? AND scope = 'warehouse' AND corpus = '*' AND label != '*' AND measure = ?
ORDER BY label, bin
"""

_SCORES = f"""
SELECT label, bin, bin / {_BINS}.0 AS low, {_HIGH} AS high, count FROM (
  SELECT m.label, floor(m.score * {_BINS})::INTEGER AS bin, count(*) AS count
  FROM mentions m SEMI JOIN (FROM document_annotations WHERE is_current) a
    USING (document_id, annotation_id)
  WHERE m.score BETWEEN 0 AND 1 GROUP BY ALL
) ORDER BY label, bin
"""

_LINK_SCORES = f"""
SELECT label, bin, bin / {_BINS}.0 AS low, {_HIGH} AS high, count FROM (
  SELECT t.label, floor(n.score * {_BINS})::INTEGER AS bin,
    sum(t.mentions)::BIGINT AS count
  FROM name_totals t JOIN {FIRST} l ON true JOIN name_links n ON n.lookup_text = t.lookup_text
    AND n.label = t.label AND n.linkset_id = l.linkset_id AND n.rank = 1 AND n.status = 'linked'
  WHERE n.score BETWEEN 0 AND 1 GROUP BY ALL
) ORDER BY label, bin
"""


def labels(context: Context) -> Section:
    """Mentions by label, and histograms of the scores of mentions and of links."""
    found = context.rows(_LABELS)
    if not found:
        return Section("labels", "Labels and scores", empty("There are no mentions."))
    spec, height = bars(found, "mentions", "label", titles=("mentions", "label"))
    figures = [
        Figure(
            "labels-mix",
            "Mentions by label",
            "How many current mentions have each label.",
            spec,
            (
                Cell("label", "label"),
                Cell("mentions", "mentions"),
                Cell("share", "share", ".1%"),
                Cell("names", "distinct names"),
            ),
            found,
            height=height,
        )
    ]
    for measure, query, title, meaning in (
        (
            "score",
            _SCORES,
            "Scores of mentions",
            "How sure the models were of mentions: scores near 1 mean that they hardly doubted.",
        ),
        (
            "link_score",
            _LINK_SCORES,
            "Scores of links",
            "How near a linked name is to the name in the ontology: 1 is the same name.",
        ),
    ):
        rows = context.rows(_MEASURED, [context.run_id, measure]) or context.rows(query)
        if rows:
            figures.append(_histogram(f"labels-{measure.replace('_', '-')}", title, meaning, rows))
    return Section("labels", "Labels and scores", "".join(figure.html() for figure in figures))


def _from(row: Row) -> str:
    return _ONE if row["high"] is None else f"{row['low']:.2f}"


def _domain(rows: list[Row]) -> list[str]:
    """All bins from the first that holds something to the last, empty ones too."""
    bounded = [row for row in rows if row["high"] is not None]
    last = [_ONE] if len(bounded) < len(rows) else []
    if not bounded:
        return last
    first = min(row["low"] for row in bounded)
    step = min(row["high"] - row["low"] for row in bounded)
    return [f"{first + n * step:.2f}" for n in range(round((1 - first) / step))] + last


def _colours(labels: list[str]) -> list[str]:
    """Colours of labels as in the viewer, unless two of them would share one."""
    shared = [CATEGORIES[colour_of(label)] for label in labels]
    return shared if len(set(shared)) == len(labels) else palette(len(labels))


def _histogram(id: str, title: str, meaning: str, rows: list[Row]) -> Figure:
    names = sorted({str(row["label"]) for row in rows})
    rows = [row | {"from": _from(row)} for row in rows]
    chart = (
        alt.Chart()
        .mark_bar(cornerRadius=0)
        .encode(
            x=alt.X(
                "from:O",
                title="score, from",
                scale=alt.Scale(domain=_domain(rows), paddingInner=0.06),
                axis=alt.Axis(labelAngle=0, labelOverlap=True),
            ),
            y=alt.Y(
                "count:Q",
                title="mentions",
                stack=True,
                axis=count_axis(row["count"] for row in rows),
            ),
            color=alt.Color(
                "label:N",
                title=None,
                scale=alt.Scale(domain=names, range=_colours(names)),
            ),
            tooltip=[
                alt.Tooltip("label:N", title="label"),
                alt.Tooltip("low:Q", title="from", format=".2f"),
                alt.Tooltip("high:Q", title="to", format=".2f"),
                alt.Tooltip("count:Q", title="mentions", format=","),
            ],
        )
    )
    return Figure(
        id,
        title,
        meaning,
        finished(chart, _HEIGHT, rows),
        (
            Cell("label", "label"),
            Cell("low", "from", ".2f"),
            Cell("high", "to", ".2f"),
            Cell("count", "mentions"),
        ),
        rows,
        height=_HEIGHT + 90,
    )
