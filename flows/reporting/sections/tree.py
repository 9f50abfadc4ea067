"""Mentions along the tree of MeSH, as a treemap."""

from __future__ import annotations

from typing import Any

from flows.reporting.charts import Figure
from flows.reporting.context import Context
from flows.reporting.markup import Cell, empty
from flows.reporting.section import Section
from flows.reporting.treemap import treemap
from flows.warehouse.views.concepts import FIRST

_HEIGHT = 460
_OF_LABEL = 12
"""Concepts of a label, where there is no tree."""

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
  SELECT unnest(c.tree_numbers) AS branch, c.concept_name
  FROM concepts c JOIN {FIRST} l USING (release_id)
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

_BY_LABEL = f"""
WITH totals AS (
  SELECT arg_max(label, mentions) AS category, concept_id, release_id, sum(mentions) AS mentions
  FROM concept_totals JOIN {FIRST} l USING (linkset_id) GROUP BY ALL
), ranked AS (
  SELECT *, row_number() OVER (PARTITION BY category ORDER BY mentions DESC, concept_id) AS place
  FROM totals
), shown AS (
  SELECT category, CASE WHEN place <= {_OF_LABEL} THEN concept_id END AS branch,
    any_value(release_id) AS release_id, sum(mentions) AS mentions, count(*) AS others
  FROM ranked GROUP BY ALL
)
SELECT s.category, s.branch, s.mentions,
  CASE WHEN s.branch IS NULL THEN s.others || ' others' ELSE coalesce(c.concept_name, s.branch) END
    AS name, '' AS concepts
FROM shown s LEFT JOIN concepts c ON c.release_id = s.release_id AND c.concept_id = s.branch
ORDER BY s.mentions DESC, s.category, s.branch
"""

_CELLS = (
    Cell("category", "category"),
    Cell("name", "branch"),
    Cell("branch", "number"),
    Cell("mentions", "mentions", ",.0f"),
    Cell("share", "share", ".1%"),
    Cell("concepts", "most frequent concepts"),
)


def tree(context: Context) -> Section:
    """Mentions by branch; a concept in several places counts in each for its part."""
    rows = [_row(row) for row in context.rows(_QUERY)]
    if not rows:
        return Section("tree", "Along the hierarchy", empty("No mention is linked to a concept."))
    without = all(row["category"] == _OUTSIDE for row in rows)
    if without:
        rows = context.rows(_BY_LABEL)
    total = sum(row["mentions"] for row in rows)
    for row in rows:
        row["share"] = row["mentions"] / total
    if without:
        title = "Mentions by label and concept"
        meaning = (
            "Each area is as large as the number of mentions of a concept. The ontology has no "
            f"tree like MeSH's, so the {_OF_LABEL} most frequent concepts of each label are shown."
        )
    else:
        title = "Mentions along MeSH"
        meaning = (
            "Each area is as large as the number of mentions of all concepts in that branch of "
            "MeSH. The mentions of a concept that stands in several places are divided among them."
        )
    figure = Figure(
        "tree-map",
        title,
        meaning,
        treemap(rows, _HEIGHT),
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
