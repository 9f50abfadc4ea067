"""Making the derived tables anew, all in one transaction.

They are small beside what they are made of, and making them costs little beside annotating what
is new: so they are made as a whole, which is right after every kind of change.
"""

from __future__ import annotations

from datetime import UTC, datetime

from flows.derived_settings import DerivedSettings
from flows.warehouse.derived.schema import DERIVATIONS, DERIVED_TABLES
from flows.warehouse.layout import Connection, transaction

_LINKED = """
CREATE OR REPLACE TEMP TABLE derived_mentions AS
SELECT m.document_id, m.sentence_id, l.linkset_id, m.label,
  coalesce(c.concept_id, n.concept_id) AS concept_id,
  m.negated IS NOT NULL AND NOT (m.negated OR coalesce(m.uncertain, false)
    OR coalesce(m.hypothetical, false)) AND coalesce(m.experiencer, 'patient') = 'patient'
    AS affirmed,
  coalesce(m.negated, false) AS negated
FROM mentions m
SEMI JOIN (FROM document_annotations WHERE is_current) a USING (document_id, annotation_id)
JOIN (FROM linksets WHERE is_current) l ON true
LEFT JOIN mention_links c ON c.document_id = m.document_id
  AND c.annotation_id = m.annotation_id AND c.mention_id = m.mention_id
  AND c.linkset_id = l.linkset_id
LEFT JOIN (FROM name_links WHERE rank = 1 AND status = 'linked') n
  ON n.lookup_text = m.lookup_text AND n.label = m.label AND n.linkset_id = l.linkset_id
WHERE coalesce(c.concept_id, n.concept_id) IS NOT NULL
"""

_DOCUMENT_CONCEPTS = """
INSERT INTO document_concepts
SELECT m.document_id, m.concept_id, m.linkset_id, min(m.label), d.corpus, d.kind,
  d.document_type, d.document_date, d.person_id, count(*), count(*) FILTER (m.affirmed),
  count(*) FILTER (m.negated)
FROM derived_mentions m JOIN documents d USING (document_id)
GROUP BY ALL ORDER BY m.linkset_id, m.document_id, m.concept_id
"""

_CONCEPT_TOTALS = """
INSERT INTO concept_totals
SELECT concept_id, linkset_id, min(label), corpus, kind, document_type,
  year(document_date)::INTEGER, count(*), sum(mentions), sum(affirmed), sum(negated),
  count(DISTINCT person_id)
FROM document_concepts
GROUP BY concept_id, linkset_id, corpus, kind, document_type, year(document_date) ORDER BY ALL
"""

_CONCEPT_PAIRS = """
INSERT INTO concept_pairs
WITH named AS (
  SELECT document_id, linkset_id, concept_id FROM document_concepts
  QUALIFY row_number() OVER (
    PARTITION BY linkset_id, document_id ORDER BY mentions DESC, concept_id) <= $pair_concepts
), said AS (
  SELECT DISTINCT document_id, sentence_id, linkset_id, concept_id FROM derived_mentions
  SEMI JOIN named USING (document_id, linkset_id, concept_id) WHERE sentence_id IS NOT NULL
), in_documents AS (
  SELECT linkset_id, concept_id, count(*) AS n FROM named GROUP BY ALL
), in_sentences AS (
  SELECT linkset_id, concept_id, count(*) AS n FROM said GROUP BY ALL
), documents_with AS (
  SELECT a.linkset_id, a.concept_id AS first_id, b.concept_id AS second_id, count(*) AS n
  FROM named a JOIN named b USING (document_id, linkset_id)
  WHERE a.concept_id < b.concept_id GROUP BY ALL HAVING count(*) >= $pair_documents
), sentences_with AS (
  SELECT a.linkset_id, a.concept_id AS first_id, b.concept_id AS second_id, count(*) AS n
  FROM said a JOIN said b USING (document_id, sentence_id, linkset_id)
  WHERE a.concept_id < b.concept_id GROUP BY ALL
), whole AS (
  SELECT (SELECT count(*) FROM document_annotations WHERE is_current AND status = 'done')
      AS documents,
    (SELECT count(*) FROM sentences SEMI JOIN (FROM document_annotations WHERE is_current)
      USING (document_id, annotation_id)) AS sentences
)
SELECT p.first_id, p.second_id, p.linkset_id, p.n, coalesce(s.n, 0), fd.n, sd.n,
  coalesce(fs.n, 0), coalesce(ss.n, 0),
  log2(p.n::DOUBLE * w.documents / (fd.n::DOUBLE * sd.n)),
  log2(s.n::DOUBLE * w.sentences / (fs.n::DOUBLE * ss.n))
FROM documents_with p JOIN whole w ON true
JOIN in_documents fd ON fd.linkset_id = p.linkset_id AND fd.concept_id = p.first_id
JOIN in_documents sd ON sd.linkset_id = p.linkset_id AND sd.concept_id = p.second_id
LEFT JOIN sentences_with s ON s.linkset_id = p.linkset_id AND s.first_id = p.first_id
  AND s.second_id = p.second_id
LEFT JOIN in_sentences fs ON fs.linkset_id = p.linkset_id AND fs.concept_id = p.first_id
LEFT JOIN in_sentences ss ON ss.linkset_id = p.linkset_id AND ss.concept_id = p.second_id
ORDER BY ALL
"""

_PERSON_TOTALS = """
INSERT INTO person_totals
SELECT person_id, concept_id, linkset_id, min(label), min(document_date), max(document_date),
  min(document_date) FILTER (affirmed > 0), max(document_date) FILTER (affirmed > 0),
  count(*), sum(mentions), sum(affirmed), sum(negated)
FROM document_concepts WHERE person_id IS NOT NULL
GROUP BY person_id, concept_id, linkset_id ORDER BY ALL
"""

_NAME_TOTALS = """
INSERT INTO name_totals
SELECT lookup_text, label, count(*), count(DISTINCT document_id)
FROM mentions SEMI JOIN (FROM document_annotations WHERE is_current)
  USING (document_id, annotation_id)
GROUP BY ALL ORDER BY ALL
"""

_DOCUMENT_TOTALS = """
INSERT INTO document_totals
WITH current AS (FROM document_annotations WHERE is_current), said AS (
  SELECT document_id, count(*) AS n FROM sentences SEMI JOIN current
    USING (document_id, annotation_id) GROUP BY ALL
), named AS (
  SELECT document_id, count(*) AS n FROM mentions SEMI JOIN current
    USING (document_id, annotation_id) GROUP BY ALL
), linked AS (
  SELECT document_id, sum(mentions) AS n FROM document_concepts
  SEMI JOIN (FROM linksets WHERE is_current AND position = 1) USING (linkset_id) GROUP BY ALL
)
SELECT d.corpus, d.kind, d.document_type, year(d.document_date)::INTEGER, count(*),
  count(DISTINCT d.person_id), coalesce(sum(length(d.text)), 0), coalesce(sum(s.n), 0),
  coalesce(sum(m.n), 0), coalesce(sum(l.n), 0)
FROM documents d SEMI JOIN current USING (document_id)
LEFT JOIN said s USING (document_id) LEFT JOIN named m USING (document_id)
LEFT JOIN linked l USING (document_id)
WHERE NOT d.is_deleted GROUP BY ALL ORDER BY ALL
"""

_DERIVATION = """
INSERT INTO derivations SELECT ?, (SELECT max(run_id) FROM runs),
  coalesce(sum(documents), 0), coalesce(sum(mentions), 0), ?, ? FROM document_totals
"""


def refresh(connection: Connection, settings: DerivedSettings) -> None:
    """Make all derived tables anew from what the warehouse holds now, in one transaction."""
    with transaction(connection):
        _derive(connection, settings.pair_concepts, settings.pair_documents)


def refresh_within(connection: Connection) -> None:
    """The same within a transaction that has changed what they are made of, with the settings
    they were made with; nothing where they were never made.
    """
    made = connection.execute(
        f"SELECT pair_concepts, pair_documents FROM {DERIVATIONS.name}"
    ).fetchall()
    for pair_concepts, pair_documents in made:
        _derive(connection, pair_concepts, pair_documents)


def _derive(connection: Connection, pair_concepts: int, pair_documents: int) -> None:
    for table in (*DERIVED_TABLES, DERIVATIONS):
        connection.execute(f"DELETE FROM {table.name}")
    connection.execute(_LINKED)
    connection.execute(_DOCUMENT_CONCEPTS)
    connection.execute(_CONCEPT_TOTALS)
    connection.execute(
        _CONCEPT_PAIRS, {"pair_concepts": pair_concepts, "pair_documents": pair_documents}
    )
    connection.execute("DROP TABLE derived_mentions")
    connection.execute(_PERSON_TOTALS)
    connection.execute(_NAME_TOTALS)
    connection.execute(_DOCUMENT_TOTALS)
    now = datetime.now(UTC).replace(tzinfo=None)
    connection.execute(_DERIVATION, [now, pair_concepts, pair_documents])
