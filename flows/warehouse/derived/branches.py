"""Counting along the hierarchy: a concept together with all that is narrower.

A document counts once for a branch, however many concepts of it the document names: so documents
and concepts are brought together before they are counted.
"""

from __future__ import annotations

from flows.warehouse.layout import Connection

_ANCESTORS = """
CREATE OR REPLACE TEMP TABLE derived_ancestors AS
SELECT c.concept, (dense_rank() OVER (ORDER BY a.ancestor_id))::INTEGER AS ancestor, a.ancestor_id
FROM (SELECT DISTINCT concept FROM derived_named)
JOIN derived_concepts c USING (concept)
JOIN concept_ancestors a ON a.concept_id = c.concept_id AND a.release_id = $release
"""

_BRANCHES = """
CREATE OR REPLACE TEMP TABLE derived_branches AS
SELECT b.ancestor, d.cell, count(*) AS documents, sum(b.mentions)::BIGINT AS mentions,
  sum(b.affirmed)::BIGINT AS affirmed, sum(b.historical)::BIGINT AS historical,
  sum(b.negated)::BIGINT AS negated,
  count(DISTINCT d.person) AS persons
FROM (
  SELECT a.ancestor, n.doc, sum(n.mentions)::INTEGER AS mentions,
    sum(n.affirmed)::INTEGER AS affirmed, sum(n.historical)::INTEGER AS historical,
    sum(n.negated)::INTEGER AS negated
  FROM derived_named n JOIN derived_ancestors a USING (concept) GROUP BY a.ancestor, n.doc
) b
JOIN derived_documents d USING (doc) GROUP BY b.ancestor, d.cell
"""

_BRANCH_TOTALS = """
INSERT INTO branch_totals BY NAME
SELECT a.ancestor_id, $linkset AS linkset_id, e.corpus, e.kind, e.document_type, e.year,
  b.documents, b.mentions, b.affirmed, b.historical, b.negated, b.persons
FROM derived_branches b
JOIN (SELECT DISTINCT ancestor, ancestor_id FROM derived_ancestors) a USING (ancestor)
JOIN derived_cells e USING (cell)
ORDER BY b.ancestor, b.cell
"""


def count_branches(connection: Connection, linkset_id: str, release_id: str) -> None:
    """Fill ``branch_totals`` for the linkset whose mentions are in ``derived_named``."""
    connection.execute(_ANCESTORS, {"release": release_id})
    connection.execute(_BRANCHES)
    connection.execute(_BRANCH_TOTALS, {"linkset": linkset_id})
