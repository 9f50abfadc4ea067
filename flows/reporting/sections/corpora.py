"""What documents there are: by corpus, kind and year."""

from __future__ import annotations

from collections import Counter

import altair as alt

from flows.reporting.charts import Figure, coloured, count_axis, finished
from flows.reporting.context import Context
from flows.reporting.markup import Cell, Row, empty, table_html
from flows.reporting.section import Section

_HEIGHT = 260

_TOTALS = """
SELECT corpus, kind, sum(documents)::BIGINT AS documents, sum(characters)::BIGINT AS characters,
  sum(sentences)::BIGINT AS sentences, sum(mentions)::BIGINT AS mentions,
  1000 * sum(mentions) / nullif(sum(characters), 0) AS density,
  sum(linked) / nullif(sum(mentions), 0) AS linked, min(year) AS first, max(year) AS last
FROM document_totals GROUP BY ALL ORDER BY documents DESC, corpus, kind
"""

_YEARS = """
WITH shown AS (
  SELECT corpus, kind, sum(documents) AS n FROM document_totals GROUP BY ALL
  ORDER BY n DESC, corpus, kind LIMIT 7
)
SELECT t.year, CASE WHEN s.n IS NULL THEN 'all others' ELSE t.corpus || ', ' || t.kind END AS part,
  sum(t.documents)::BIGINT AS documents, sum(t.mentions)::BIGINT AS mentions
FROM document_totals t LEFT JOIN shown s USING (corpus, kind)
WHERE t.year IS NOT NULL GROUP BY ALL ORDER BY t.year, part
"""

_UNDATED = """
SELECT coalesce(sum(documents) FILTER (year IS NULL), 0)::BIGINT AS undated,
  coalesce(sum(documents), 0)::BIGINT AS documents FROM document_totals
"""

_MOST_YEARS = 200
"""Beyond it a date is likely wrong, and years without documents are left out."""

_TABLE = (
    Cell("corpus", "corpus"),
    Cell("kind", "kind"),
    Cell("documents", "documents"),
    Cell("characters", "characters"),
    Cell("sentences", "sentences"),
    Cell("mentions", "mentions"),
    Cell("density", "mentions in 1,000 characters", ".2f"),
    Cell("linked", "linked", ".1%"),
    Cell("first", "first year", plain=True),
    Cell("last", "last year", plain=True),
)


def corpora(context: Context) -> Section:
    """Documents by corpus and kind, and over the years."""
    totals, years = context.rows(_TOTALS), context.rows(_YEARS)
    if not totals:
        return Section("corpora", "Corpora", empty("There are no annotated documents."))
    (counts,) = context.rows(_UNDATED)
    body = _over_time(years, counts) if years else empty("No document has a date.")
    return Section("corpora", "Corpora", body + table_html("Corpora in numbers", _TABLE, totals))


def _by_year(years: list[Row]) -> list[int]:
    """Documents of each year, all corpora together: how high the bars are."""
    sums: Counter[int] = Counter()
    for row in years:
        sums[row["year"]] += row["documents"]
    return list(sums.values())


def _domain(years: list[Row]) -> list[int]:
    """All years from the first to the last: one without documents is a gap to be seen."""
    known = sorted({int(row["year"]) for row in years})
    if known[-1] - known[0] >= _MOST_YEARS:
        return known
    return list(range(known[0], known[-1] + 1))


def _without_date(counts: Row) -> str:
    if not counts["undated"]:
        return ""
    return f" {counts['undated']:,} of {counts['documents']:,} have no date and are left out."


def _over_time(years: list[Row], counts: Row) -> str:
    parts = sorted({str(row["part"]) for row in years})
    chart = (
        alt.Chart()
        .mark_bar()
        .encode(
            x=alt.X(
                "year:O",
                title=None,
                scale=alt.Scale(domain=_domain(years)),
                axis=alt.Axis(labelOverlap=True, labelSeparation=10, labelAngle=0),
            ),
            y=alt.Y(
                "documents:Q",
                title="documents",
                axis=count_axis(_by_year(years)),
            ),
            color=coloured("part", parts),
            tooltip=[
                alt.Tooltip("year:O", title="year"),
                alt.Tooltip("part:N", title="corpus"),
                alt.Tooltip("documents:Q", title="documents", format=","),
                alt.Tooltip("mentions:Q", title="mentions", format=","),
            ],
        )
    )
    return Figure(
        "corpora-years",
        "Documents over the years",
        f"Documents by the year of their date, and by corpus and kind.{_without_date(counts)}",
        finished(chart, _HEIGHT, years),
        (
            Cell("year", "year", plain=True),
            Cell("part", "corpus"),
            Cell("documents", "documents"),
            Cell("mentions", "mentions"),
        ),
        years,
        height=_HEIGHT + 80,
    ).html()
