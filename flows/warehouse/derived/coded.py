"""What the derived tables are counted from: temporary tables with numbers in place of ids.

A document, a name, a concept, a person and a cell (what a document is, and its year) are each a
whole number here, so that millions of rows are grouped and joined in little memory. All go to
disk where the bound on memory is reached.
"""

from __future__ import annotations

from flows.warehouse.layout import Connection

CODED = "derived_"
"""The temporary tables' names begin so."""

_CELLS = """
CREATE OR REPLACE TEMP TABLE derived_cells AS
SELECT (row_number() OVER (ORDER BY corpus, kind, document_type, year))::INTEGER AS cell, *
FROM (
  SELECT DISTINCT corpus, kind, document_type, year(document_date)::INTEGER AS year
  FROM documents WHERE NOT is_deleted
)
"""

_PERSONS = """
CREATE OR REPLACE TEMP TABLE derived_persons AS
SELECT (row_number() OVER (ORDER BY person_id))::INTEGER AS person, person_id
FROM (SELECT DISTINCT person_id FROM documents WHERE person_id IS NOT NULL AND NOT is_deleted)
"""

# Numbers are joined: ranks over all documents would sort them, texts of ids included.
_DOCUMENTS = """
CREATE OR REPLACE TEMP TABLE derived_documents AS
SELECT (row_number() OVER () - 1)::INTEGER AS doc, c.cell, p.person, d.document_id,
  a.annotation_id, d.corpus, d.kind, d.document_type, d.document_date, d.person_id
FROM documents d
JOIN document_annotations a
  ON a.document_id = d.document_id AND a.is_current AND a.status = 'done'
JOIN derived_cells c ON c.corpus = d.corpus AND c.kind = d.kind
  AND c.document_type IS NOT DISTINCT FROM d.document_type
  AND c.year IS NOT DISTINCT FROM year(d.document_date)::INTEGER
LEFT JOIN derived_persons p ON p.person_id = d.person_id
WHERE NOT d.is_deleted
"""

_NAMES = """
CREATE OR REPLACE TEMP TABLE derived_names AS
SELECT (row_number() OVER () - 1)::INTEGER AS name,
  (dense_rank() OVER (ORDER BY label))::INTEGER AS label_code, lookup_text, label
FROM (
  SELECT DISTINCT lookup_text, label FROM mentions
  SEMI JOIN derived_documents USING (document_id, annotation_id)
)
"""

_LABELS = """
CREATE OR REPLACE TEMP TABLE derived_labels AS SELECT DISTINCT label_code, label FROM derived_names
"""

_MENTIONS = """
CREATE OR REPLACE TEMP TABLE derived_mentions AS
SELECT d.doc, m.mention_id, m.sentence_id, n.name, n.label_code,
  m.negated IS NOT NULL AND NOT (m.negated OR coalesce(m.uncertain, false)
    OR coalesce(m.hypothetical, false)) AND coalesce(m.experiencer, 'patient') = 'patient'
    AS affirmed,
  coalesce(m.historical, false) AS historical, coalesce(m.negated, false) AS negated
FROM mentions m
JOIN derived_documents d ON d.document_id = m.document_id AND d.annotation_id = m.annotation_id
JOIN derived_names n ON n.lookup_text = m.lookup_text AND n.label = m.label
"""

_CONCEPTS = """
CREATE OR REPLACE TEMP TABLE derived_concepts AS
SELECT (row_number() OVER (ORDER BY concept_id))::INTEGER AS concept, concept_id
FROM (
  SELECT concept_id FROM name_links SEMI JOIN (FROM linksets WHERE is_current) USING (linkset_id)
  WHERE rank = 1 AND status = 'linked'
  UNION SELECT concept_id FROM mention_links
  SEMI JOIN (FROM linksets WHERE is_current) USING (linkset_id)
)
"""

_NAME_CONCEPTS = """
CREATE OR REPLACE TEMP TABLE derived_name_concepts AS
SELECT n.name, c.concept FROM name_links l
JOIN derived_names n ON n.lookup_text = l.lookup_text AND n.label = l.label
JOIN derived_concepts c ON c.concept_id = l.concept_id
WHERE l.rank = 1 AND l.status = 'linked' AND l.linkset_id = $linkset
"""

_CHOSEN = """
CREATE OR REPLACE TEMP TABLE derived_chosen AS
SELECT d.doc, l.mention_id, c.concept FROM mention_links l
JOIN derived_documents d ON d.document_id = l.document_id AND d.annotation_id = l.annotation_id
JOIN derived_concepts c ON c.concept_id = l.concept_id
WHERE l.linkset_id = $linkset
"""

_LINKED = """
CREATE OR REPLACE TEMP TABLE derived_linked AS
SELECT m.doc, m.sentence_id, coalesce(c.concept, n.concept) AS concept, m.label_code, m.affirmed,
  m.affirmed AND m.historical AS historical, m.negated
FROM derived_mentions m
LEFT JOIN derived_chosen c ON c.doc = m.doc AND c.mention_id = m.mention_id
LEFT JOIN derived_name_concepts n ON n.name = m.name
WHERE coalesce(c.concept, n.concept) IS NOT NULL
"""

_NAMED = """
CREATE OR REPLACE TEMP TABLE derived_named AS
SELECT concept, doc, min(label_code) AS label_code, count(*)::INTEGER AS mentions,
  count(*) FILTER (affirmed)::INTEGER AS affirmed,
  count(*) FILTER (historical)::INTEGER AS historical,
  count(*) FILTER (negated)::INTEGER AS negated
FROM derived_linked GROUP BY concept, doc ORDER BY concept, doc
"""


def code_mentions(connection: Connection) -> None:
    """Make the tables that hang on no linkset.

    ``derived_documents`` has the documents that were annotated and not withdrawn, each with its
    current annotation set; ``derived_mentions`` has their mentions.
    """
    for query in (_CELLS, _PERSONS, _DOCUMENTS, _NAMES, _LABELS, _MENTIONS, _CONCEPTS):
        connection.execute(query)


def code_linked(connection: Connection, linkset_id: str) -> None:
    """Make those of one linkset: ``derived_linked``, its mentions with their concepts as the view
    ``entities`` shows them, and ``derived_named``, a row for each concept of each document.

    They are in the order of concepts: what asks for a few of them need not read the rest.
    """
    for query in (_NAME_CONCEPTS, _CHOSEN):
        connection.execute(query, {"linkset": linkset_id})
    for query in (_LINKED, _NAMED):
        connection.execute(query)


def drop_coded(connection: Connection) -> None:
    """Remove the temporary tables."""
    rows = connection.execute(
        f"SELECT table_name FROM duckdb_tables() WHERE temporary AND table_name ^@ '{CODED}'"
    ).fetchall()
    for (name,) in rows:
        connection.execute(f"DROP TABLE temp.{name}")
