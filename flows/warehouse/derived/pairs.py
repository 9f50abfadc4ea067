"""Counting which concepts documents and sentences name together.

Pointwise mutual information: K. W. Church, P. Hanks: Word Association Norms, Mutual Information,
and Lexicography. Computational Linguistics 16(1), 1990. ``log2(p(x, y) / (p(x) p(y)))``, where a
probability is a share of all annotated documents, or of all of their sentences.

Of a document with very many concepts the most frequent count, so that one list of everything does
not decide how long this takes. What is left out is left out everywhere, from single counts as from
pairs: so the two stay those of one set of events.
"""

from __future__ import annotations

from flows.warehouse.layout import Connection

_KEPT = """
CREATE OR REPLACE TEMP TABLE derived_kept AS
SELECT doc, concept FROM derived_named
QUALIFY row_number() OVER (PARTITION BY doc ORDER BY mentions DESC, concept) <= $pair_concepts
"""

_ALL_KEPT = """
CREATE OR REPLACE TEMP TABLE derived_kept AS SELECT doc, concept FROM derived_named
"""

_SAID = """
CREATE OR REPLACE TEMP TABLE derived_said AS
SELECT DISTINCT doc, sentence_id, concept FROM derived_linked
SEMI JOIN derived_kept USING (doc, concept) WHERE sentence_id IS NOT NULL
"""

_SINGLE = """
CREATE OR REPLACE TEMP TABLE derived_single AS
SELECT d.concept, d.n AS documents, coalesce(s.n, 0) AS sentences
FROM (SELECT concept, count(*) AS n FROM derived_kept GROUP BY concept) d
LEFT JOIN (SELECT concept, count(*) AS n FROM derived_said GROUP BY concept) s USING (concept)
"""

# A pair stands in no more documents than its rarer concept: the many rare ones need no joining.
_FREQUENT = """
CREATE OR REPLACE TEMP TABLE derived_frequent AS
SELECT doc, concept FROM derived_kept
SEMI JOIN (FROM derived_single WHERE documents >= $pair_documents) USING (concept)
"""

_TOGETHER = """
CREATE OR REPLACE TEMP TABLE derived_together AS
SELECT a.concept AS first, b.concept AS second, count(*) AS documents
FROM derived_frequent a JOIN derived_frequent b ON b.doc = a.doc AND b.concept > a.concept
GROUP BY ALL HAVING count(*) >= $pair_documents
"""

_SAID_TOGETHER = """
CREATE OR REPLACE TEMP TABLE derived_said_together AS
WITH said AS (
  FROM derived_said SEMI JOIN (FROM derived_single WHERE documents >= $pair_documents)
  USING (concept)
)
SELECT a.concept AS first, b.concept AS second, count(*) AS sentences
FROM said a JOIN said b
  ON b.doc = a.doc AND b.sentence_id = a.sentence_id AND b.concept > a.concept
GROUP BY ALL
"""

_PAIRS = """
INSERT INTO concept_pairs BY NAME
SELECT c.concept_id AS first_id, o.concept_id AS second_id, $linkset AS linkset_id, p.documents,
  coalesce(s.sentences, 0) AS sentences, f.documents AS first_documents,
  g.documents AS second_documents, f.sentences AS first_sentences, g.sentences AS second_sentences,
  log2(p.documents::DOUBLE * $documents / (f.documents::DOUBLE * g.documents)) AS document_pmi,
  log2(s.sentences::DOUBLE * $sentences / (f.sentences::DOUBLE * g.sentences)) AS sentence_pmi
FROM derived_together p
JOIN derived_concepts c ON c.concept = p.first JOIN derived_concepts o ON o.concept = p.second
JOIN derived_single f ON f.concept = p.first JOIN derived_single g ON g.concept = p.second
LEFT JOIN derived_said_together s ON s.first = p.first AND s.second = p.second
ORDER BY p.first, p.second
"""


def count_pairs(
    connection: Connection, linkset_id: str, pair_concepts: int, pair_documents: int
) -> None:
    """Fill ``concept_pairs`` for the linkset whose mentions are in ``derived_linked``."""
    ((most,),) = connection.execute(
        "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM derived_named GROUP BY doc)"
    ).fetchall()
    if most > pair_concepts:
        connection.execute(_KEPT, {"pair_concepts": pair_concepts})
    else:
        connection.execute(_ALL_KEPT)
    connection.execute(_SAID)
    connection.execute(_SINGLE)
    for query in (_FREQUENT, _TOGETHER, _SAID_TOGETHER):
        connection.execute(query, {"pair_documents": pair_documents})
    documents, sentences = connection.execute(
        "SELECT (SELECT count(*) FROM derived_documents), (SELECT count(*) FROM sentences "
        "SEMI JOIN derived_documents USING (document_id, annotation_id))"
    ).fetchall()[0]
    connection.execute(
        _PAIRS, {"linkset": linkset_id, "documents": documents, "sentences": sentences}
    )
