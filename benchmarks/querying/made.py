"""A made-up warehouse of millions of mentions, written by SQL: its shape is a real one's.

Abstracts without persons and two kinds of notes with them; a document says a dozen names or so
over and over, some of them common, some of its topic; names are as frequent as Zipf's law has it
(a share of 1 / rank); the hierarchy is eight levels deep, with a tenth of all concepts below one
branch. Every draw is a hash of what it is for, so the same numbers give the same warehouse.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flows.warehouse.connection import Connection, open_warehouse

NEOPLASMS = "MESH:D0000002"
"""The branch that stands for Neoplasms."""

LABELS = ("Disease", "Chemical", "Gene", "Finding", "Procedure")


@dataclass(frozen=True)
class Shape:
    """How much there is of everything, for so many mentions."""

    mentions: int
    concepts: int = 60_000
    a_document: int = 25
    """Mentions of a document."""

    @property
    def documents(self) -> int:
        """A 25th of the mentions."""
        return max(self.mentions // self.a_document, 10)

    @property
    def persons(self) -> int:
        """A quarter of the documents; half of the documents are notes."""
        return max(self.documents // 4, 1)

    @property
    def names(self) -> int:
        """Distinct names to draw from; rare ones never come up."""
        return max(self.mentions // 15, self.concepts // 10)


def _u(*parts: str) -> str:
    """SQL of a number from 0 to 1, drawn by a hash of the parts."""
    return f"((hash({', '.join(parts)}) % 1000003)::DOUBLE / 1000003)"


def _statements(shape: Shape) -> list[tuple[str, str]]:
    labels = "[" + ", ".join(f"'{label}'" for label in LABELS) + "]"
    name = "concat('name ', n)"
    return [
        (
            "documents",
            f"""
INSERT INTO documents BY NAME
SELECT concat(corpus, ':', native_id) AS document_id, *, repeat('lorem ipsum ', 20) AS text,
  md5(native_id) AS source_hash, md5(native_id) AS metadata_hash, '{{}}' AS metadata,
  false AS is_deleted
FROM (SELECT d AS source_order,
    CASE WHEN d % 2 = 0 THEN 'pubmed' WHEN d % 5 < 3 THEN 'discharge' ELSE 'radiology' END
      AS corpus,
    (10000000 + d * 7)::VARCHAR AS native_id,
    CASE WHEN d % 2 = 0 THEN 'abstract' ELSE 'note' END AS kind,
    CASE WHEN d % 2 = 0 THEN ['Journal Article', 'Review', 'Clinical Trial', 'Case Reports', NULL]
      WHEN d % 5 < 3 THEN ['Discharge summary', 'Physician', 'Nursing', 'ECG', 'Social Work']
      ELSE ['CT', 'MR', 'X-ray', 'Ultrasound', NULL] END[1 + (5 * {_u("d", "1")} ** 2)::INTEGER % 5]
      AS document_type,
    CASE WHEN hash(d, 2) % 50 > 0 THEN
      DATE '1996-01-01' + (10950 * sqrt({_u("d", "3")}))::INTEGER END AS document_date,
    CASE WHEN d % 2 = 1 THEN concat('person-', hash(d, 4) % {shape.persons}) END AS person_id
  FROM range({shape.documents}) t(d))
""",
        ),
        (
            "document_annotations",
            """
INSERT INTO document_annotations BY NAME
SELECT document_id, 'made-up' AS annotation_id, source_hash, '20260101T000000-000000' AS run_id,
  '20260101T000000-000000:00001' AS shard_id, 'done' AS status, true AS is_current FROM documents
""",
        ),
        (
            "sentences",
            """
INSERT INTO sentences BY NAME
SELECT document_id, 'made-up' AS annotation_id, s::INTEGER AS sentence_id,
  (s * 24)::INTEGER AS start_char, (s * 24 + 23)::INTEGER AS end_char
FROM documents, range(10) t(s)
""",
        ),
        (
            "mentions",
            f"""
INSERT INTO mentions BY NAME
SELECT document_id, 'made-up' AS annotation_id, m::INTEGER AS mention_id,
  (m * 9)::INTEGER AS start_char, (m * 9 + 8)::INTEGER AS end_char, {name} AS mention_text,
  {labels}[1 + (hash(n, 'label') % {len(LABELS)})::INTEGER] AS label,
  0.5 + {_u("d", "m")} / 2 AS score,
  'made-up' AS model, (m * 10 // {shape.a_document})::INTEGER AS sentence_id,
  0::INTEGER AS section_id, {name} AS lookup_text,
  CASE WHEN kind = 'note' THEN hash(d, m, 5) % 6 = 0 END AS negated,
  CASE WHEN kind = 'note' THEN hash(d, m, 6) % 20 = 0 END AS uncertain,
  CASE WHEN kind = 'note' THEN hash(d, m, 7) % 10 = 0 END AS historical,
  CASE WHEN kind = 'note' THEN hash(d, m, 8) % 30 = 0 END AS hypothetical,
  CASE WHEN kind = 'note' THEN if(hash(d, m, 9) % 25 = 0, 'family', 'patient') END AS experiencer
FROM (SELECT *, CASE WHEN hash(d, slot, 10) % 3 > 0
    THEN ({shape.names}::DOUBLE ** {_u("d", "slot", "11")})::BIGINT
    ELSE hash(d % 997, (80 ** {_u("d", "slot", "12")})::INTEGER) % {shape.names} END AS n
  FROM (SELECT document_id, kind, source_order AS d, m,
      (14 * {_u("source_order", "m", "13")} ** 1.5)::INTEGER AS slot
    FROM documents, range({shape.a_document}) t(m)))
""",
        ),
        (
            "concepts",
            f"""
INSERT INTO concepts BY NAME
SELECT 'release' AS release_id, printf('MESH:D%07d', c) AS concept_id,
  concat('Concept ', c) AS concept_name, ['T047'] AS semantic_types, [] AS tree_numbers
FROM range({shape.concepts}) t(c)
""",
        ),
        (
            "concept_ancestors",
            f"""
INSERT INTO concept_ancestors BY NAME
WITH RECURSIVE tree AS (
  SELECT c, c AS a, 0 AS distance FROM range({shape.concepts}) t(c)
  UNION ALL SELECT c, (a - 1) // CASE WHEN a < 12 THEN 11 ELSE 4 END, distance + 1
  FROM tree WHERE a > 0)
SELECT 'release' AS release_id, printf('MESH:D%07d', c) AS concept_id,
  printf('MESH:D%07d', a) AS ancestor_id, min(distance)::INTEGER AS distance
FROM tree GROUP BY ALL ORDER BY ALL
""",
        ),
        (
            "name_links",
            f"""
INSERT INTO name_links BY NAME
SELECT lookup_text, label, 'linkset' AS linkset_id, r::INTEGER AS rank, status,
  CASE WHEN status != 'no_candidate' THEN printf('MESH:D%07d',
    (hash(if(h % 4 > 0, n, n // 3), r) % {shape.concepts})::BIGINT) END AS concept_id,
  CASE WHEN status != 'no_candidate' THEN 1.0 / r END AS score,
  CASE WHEN status != 'no_candidate' THEN 'exact' END AS method
FROM (SELECT *, CASE WHEN h % 100 < 8 THEN 'no_candidate' WHEN h % 100 < 14 THEN 'below_threshold'
    WHEN h % 100 < 18 THEN 'ambiguous' ELSE 'linked' END AS status
  FROM (SELECT *, split_part(lookup_text, ' ', 2)::BIGINT AS n, hash(lookup_text, label, 1) AS h
    FROM (SELECT DISTINCT lookup_text, label FROM mentions))), range(1, 4) t(r)
WHERE r = 1 OR (status != 'no_candidate' AND (r = 2 OR h % 3 = 0))
""",
        ),
        (
            "mention_links",
            """
INSERT INTO mention_links BY NAME
SELECT m.document_id, annotation_id, mention_id, 'linkset' AS linkset_id, n.concept_id, n.score,
  'context' AS method
FROM mentions m JOIN name_links n USING (lookup_text, label)
WHERE n.rank = 2 AND n.status = 'ambiguous' AND hash(m.document_id, mention_id) % 3 = 0
""",
        ),
        (
            "linksets",
            """
INSERT INTO linksets VALUES ('linkset', 'release', 1, true, '{}', now()::TIMESTAMP)
""",
        ),
        (
            "runs",
            """
INSERT INTO runs BY NAME SELECT '20260101T000000-000000' AS run_id, '' AS order_hash,
  'made-up' AS annotation_id, 'done' AS status, count(*) AS read, count(*) AS new,
  now()::TIMESTAMP AS started_at FROM documents
""",
        ),
    ]


def write_warehouse(path: Path, shape: Shape) -> None:
    """Write a warehouse without derived tables; there must be none at the path."""
    with open_warehouse(path) as connection:
        connection.execute("SET memory_limit = '4GiB'")
        connection.execute("SET threads = 2")
        for _, statement in _statements(shape):
            connection.execute(statement)
        connection.execute("CHECKPOINT")


def counts(connection: Connection) -> dict[str, int]:
    """Rows of the tables that questions are about."""
    tables = ("documents", "mentions", "name_links", "concepts", "concept_ancestors")
    return {
        name: connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in tables
    }
