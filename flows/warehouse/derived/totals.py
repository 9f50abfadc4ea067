"""Counting concepts, persons, names and documents from the coded tables."""

from __future__ import annotations

from flows.warehouse.layout import Connection

_DOCUMENT_CONCEPTS = """
INSERT INTO document_concepts BY NAME
SELECT d.document_id, c.concept_id, $linkset AS linkset_id, l.label, d.corpus, d.kind,
  d.document_type, d.document_date, d.person_id, n.mentions, n.affirmed, n.historical,
  n.negated
FROM derived_named n JOIN derived_documents d USING (doc)
JOIN derived_concepts c USING (concept) JOIN derived_labels l USING (label_code)
ORDER BY n.concept, n.doc
"""

_CONCEPT_TOTALS = """
INSERT INTO concept_totals BY NAME
SELECT c.concept_id, $linkset AS linkset_id, l.label, e.corpus, e.kind, e.document_type, e.year,
  t.documents, t.mentions, t.affirmed, t.historical, t.negated, t.persons
FROM (
  SELECT n.concept, d.cell, min(n.label_code) AS label_code, count(*) AS documents,
    sum(n.mentions)::BIGINT AS mentions, sum(n.affirmed)::BIGINT AS affirmed,
    sum(n.historical)::BIGINT AS historical, sum(n.negated)::BIGINT AS negated,
    count(DISTINCT d.person) AS persons
  FROM derived_named n JOIN derived_documents d USING (doc) GROUP BY n.concept, d.cell
) t
JOIN derived_concepts c USING (concept) JOIN derived_cells e USING (cell)
JOIN derived_labels l USING (label_code)
ORDER BY t.concept, t.cell
"""

_PERSON_TOTALS = """
INSERT INTO person_totals BY NAME
SELECT p.person_id, c.concept_id, $linkset AS linkset_id, l.label,
  t.* EXCLUDE (person, concept, label_code)
FROM (
  SELECT d.person, n.concept, min(n.label_code) AS label_code,
    min(d.document_date) AS first_date, max(d.document_date) AS last_date,
    min(d.document_date) FILTER (n.affirmed > 0) AS first_affirmed,
    max(d.document_date) FILTER (n.affirmed > 0) AS last_affirmed,
    max(d.document_date) FILTER (n.affirmed > n.historical) AS last_current,
    count(*) AS documents, sum(n.mentions)::BIGINT AS mentions,
    sum(n.affirmed)::BIGINT AS affirmed, sum(n.historical)::BIGINT AS historical,
    sum(n.negated)::BIGINT AS negated
  FROM derived_named n JOIN derived_documents d USING (doc) WHERE d.person IS NOT NULL
  GROUP BY d.person, n.concept
) t
JOIN derived_persons p USING (person) JOIN derived_concepts c USING (concept)
JOIN derived_labels l USING (label_code)
ORDER BY t.person, t.concept
"""

_NAME_TOTALS = """
INSERT INTO name_totals BY NAME
SELECT n.lookup_text, n.label, t.mentions, coalesce(c.n, 0) AS linked_by_context, t.documents
FROM (
  SELECT name, sum(mentions)::BIGINT AS mentions, count(*) AS documents
  FROM (SELECT name, doc, count(*) AS mentions FROM derived_mentions GROUP BY name, doc)
  GROUP BY name
) t JOIN derived_names n USING (name) LEFT JOIN derived_by_context c USING (name)
ORDER BY t.mentions DESC, n.lookup_text, n.label
"""

# Few mentions are chosen by context: they are found in one look through the others.
_BY_CONTEXT = """
CREATE OR REPLACE TEMP TABLE derived_by_context AS
SELECT m.name, count(*) AS n FROM derived_mentions m JOIN derived_chosen USING (doc, mention_id)
GROUP BY m.name
"""

_LINKED_CELLS = """
CREATE OR REPLACE TEMP TABLE derived_linked_cells AS
SELECT d.cell, count(*) AS n FROM derived_linked JOIN derived_documents d USING (doc) GROUP BY cell
"""

_DOCUMENT_TOTALS = """
INSERT INTO document_totals BY NAME
WITH annotated AS (
  SELECT cell, count(*) AS documents, count(DISTINCT person) AS persons
  FROM derived_documents GROUP BY cell
), characters AS (
  SELECT c.cell, sum(length(d.text)) AS n FROM documents d
  JOIN derived_documents c USING (document_id) GROUP BY c.cell
), sentence_cells AS (
  SELECT d.cell, count(*) AS n FROM sentences
  JOIN derived_documents d USING (document_id, annotation_id) GROUP BY d.cell
), mention_cells AS (
  SELECT d.cell, count(*) AS n FROM derived_mentions JOIN derived_documents d USING (doc)
  GROUP BY d.cell
)
SELECT e.corpus, e.kind, e.document_type, e.year, a.documents, a.persons,
  coalesce(c.n, 0)::BIGINT AS characters, coalesce(s.n, 0) AS sentences,
  coalesce(m.n, 0) AS mentions, coalesce(l.n, 0) AS linked
FROM derived_cells e JOIN annotated a USING (cell)
LEFT JOIN characters c USING (cell) LEFT JOIN sentence_cells s USING (cell)
LEFT JOIN mention_cells m USING (cell) LEFT JOIN derived_linked_cells l USING (cell)
ORDER BY cell
"""


def count_linked(connection: Connection, linkset_id: str, *, first: bool) -> None:
    """Count documents, concepts and persons for the linkset whose mentions are in
    ``derived_linked``; ``first`` is the one that views show.
    """
    for query in (_DOCUMENT_CONCEPTS, _CONCEPT_TOTALS, _PERSON_TOTALS):
        connection.execute(query, {"linkset": linkset_id})
    if first:
        connection.execute(_LINKED_CELLS)
        connection.execute(_BY_CONTEXT)


def count_all(connection: Connection) -> None:
    """Count names and documents, when all linksets are counted."""
    for made in ("derived_linked_cells (cell INTEGER, n BIGINT)",
                 "derived_by_context (name INTEGER, n BIGINT)"):  # fmt: skip
        connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS {made}")
    connection.execute(_NAME_TOTALS)
    connection.execute(_DOCUMENT_TOTALS)
