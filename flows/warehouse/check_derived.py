"""Checks of the derived tables: they say what they are made of says.

They hold once the latest run has come to its end, and where derived tables were made at all.
"""

from __future__ import annotations

from flows.warehouse.checks import Check
from flows.warehouse.derived.state import STALE
from flows.warehouse.views import ENTITY_JOINS
from flows.warehouse.views.concepts import FIRST

_MADE = "EXISTS (FROM derivations)"
_CURRENT = "(FROM document_annotations WHERE is_current AND status = 'done')"

_AFFIRMED = (
    "m.negated IS NOT NULL AND NOT m.negated AND m.uncertain IS NOT true "
    "AND m.hypothetical IS NOT true AND coalesce(m.experiencer, 'patient') = 'patient'"
)

_NAMED = f"""
SELECT m.document_id, coalesce(ml.concept_id, n.concept_id), l.linkset_id, min(m.label),
  d.corpus, d.kind, d.document_type, d.document_date, d.person_id,
  count(*), count(*) FILTER ({_AFFIRMED}), count(*) FILTER (m.historical AND {_AFFIRMED}),
  count(*) FILTER (m.negated)
{ENTITY_JOINS.format(linksets="JOIN linksets l ON l.is_current")}
WHERE coalesce(ml.concept_id, n.concept_id) IS NOT NULL GROUP BY ALL
"""

_CONCEPTS = """
SELECT concept_id, linkset_id, min(label), corpus, kind, document_type,
  year(document_date)::INTEGER, count(*), sum(mentions)::BIGINT, sum(affirmed)::BIGINT,
  sum(historical)::BIGINT, sum(negated)::BIGINT, count(DISTINCT person_id)
FROM document_concepts GROUP BY ALL
"""

_PERSONS = """
SELECT person_id, concept_id, linkset_id, min(label), min(document_date), max(document_date),
  min(document_date) FILTER (affirmed > 0), max(document_date) FILTER (affirmed > 0),
  max(document_date) FILTER (affirmed > historical), count(*), sum(mentions)::BIGINT,
  sum(affirmed)::BIGINT, sum(historical)::BIGINT, sum(negated)::BIGINT
FROM document_concepts WHERE person_id IS NOT NULL GROUP BY ALL
"""

_NAMES = f"""
SELECT m.lookup_text, m.label, count(*), count(c.mention_id), count(DISTINCT m.document_id)
FROM (FROM mentions SEMI JOIN {_CURRENT} USING (document_id, annotation_id)) m
LEFT JOIN (FROM mention_links SEMI JOIN {FIRST} USING (linkset_id)) c
  USING (document_id, annotation_id, mention_id)
GROUP BY ALL
"""

_DOCUMENTS = f"""
SELECT d.corpus, d.kind, d.document_type, year(d.document_date)::INTEGER, count(*),
  count(DISTINCT d.person_id), coalesce(sum(length(d.text)), 0)::BIGINT,
  coalesce(sum(s.n), 0)::BIGINT, coalesce(sum(m.n), 0)::BIGINT
FROM documents d JOIN {_CURRENT} a USING (document_id)
LEFT JOIN (SELECT document_id, annotation_id, count(*) AS n FROM sentences GROUP BY ALL) s
  USING (document_id, annotation_id)
LEFT JOIN (SELECT document_id, annotation_id, count(*) AS n FROM mentions GROUP BY ALL) m
  USING (document_id, annotation_id)
WHERE NOT d.is_deleted GROUP BY ALL
"""

# Documents of a branch are counted once each: to count them anew takes what making them takes.
_BRANCHES = """
SELECT ancestor_id, linkset_id, sum(mentions)::BIGINT AS mentions,
  sum(affirmed)::BIGINT AS affirmed, sum(historical)::BIGINT AS historical,
  sum(negated)::BIGINT AS negated
FROM (
  SELECT concept_id, linkset_id, sum(mentions) AS mentions, sum(affirmed) AS affirmed,
    sum(historical) AS historical, sum(negated) AS negated FROM document_concepts GROUP BY ALL
)
JOIN linksets USING (linkset_id) JOIN concept_ancestors USING (release_id, concept_id)
GROUP BY ALL
"""
_BRANCHES_KEPT = """
SELECT ancestor_id, linkset_id, sum(mentions)::BIGINT, sum(affirmed)::BIGINT,
  sum(historical)::BIGINT, sum(negated)::BIGINT
FROM branch_totals GROUP BY ALL
"""

_PAIRS = f"""
SELECT p.first_id AS subject
FROM concept_pairs p, derivations d, (SELECT count(*) AS n FROM documents
  JOIN {_CURRENT} USING (document_id) WHERE NOT is_deleted) w,
  (SELECT count(*) AS n FROM sentences SEMI JOIN {_CURRENT} USING (document_id, annotation_id)) t
WHERE p.first_id >= p.second_id OR p.documents < d.pair_documents
  OR p.documents > least(p.first_documents, p.second_documents)
  OR p.sentences > least(p.first_sentences, p.second_sentences)
  OR (p.sentences > 0) != (p.sentence_pmi IS NOT NULL)
  OR abs(p.document_pmi - log2(p.documents * w.n::DOUBLE
    / (p.first_documents::DOUBLE * p.second_documents))) > 1e-6
  OR abs(p.sentence_pmi - log2(p.sentences * t.n::DOUBLE
    / (p.first_sentences::DOUBLE * p.second_sentences))) > 1e-6
"""


def _counted(name: str, meaning: str, kept: str, counted: str) -> Check:
    """Rows that are in one of two queries alone; the first column tells which."""
    return Check(
        f"{name}_counted",
        meaning,
        f"WITH kept AS ({kept}), counted AS ({counted}) SELECT subject FROM ("
        "(FROM kept EXCEPT ALL FROM counted) UNION ALL (FROM counted EXCEPT ALL FROM kept)) "
        f"AS t(subject) WHERE {_MADE}",
        settled_only=True,
    )


_IS_CURRENT = Check(
    "derived_current",
    "the derived tables are made of what the warehouse holds now; charthouse refresh makes "
    "them anew",
    STALE,
    settled_only=True,
)

COUNTED_CHECKS = (
    _counted(
        "document_concepts",
        "document_concepts has the concepts of all current mentions, and how often each is named",
        "FROM document_concepts",
        _NAMED,
    ),
    _counted(
        "concept_totals",
        "concept_totals is the sum of document_concepts by concept, document and year",
        "FROM concept_totals",
        _CONCEPTS,
    ),
    _counted(
        "branch_totals",
        "the mentions of a branch are those of its concepts",
        _BRANCHES_KEPT,
        _BRANCHES,
    ),
    Check(
        "concept_pairs_counted",
        "a pair stands in no more documents and sentences than either concept, and its mutual "
        "information follows from the counts",
        _PAIRS,
        settled_only=True,
    ),
    _counted(
        "person_totals",
        "person_totals is the sum of document_concepts by person and concept",
        "FROM person_totals",
        _PERSONS,
    ),
    _counted(
        "name_totals",
        "name_totals counts the names of current mentions, and those that context linked",
        "FROM name_totals",
        _NAMES,
    ),
    _counted(
        "document_totals",
        "document_totals counts annotated documents, their sentences and mentions",
        "SELECT * EXCLUDE (linked) FROM document_totals",
        _DOCUMENTS,
    ),
)
"""Checks of rows against what they are made of; of no use where another release declared them."""

DERIVED_CHECKS = (_IS_CURRENT, *COUNTED_CHECKS)
"""Checks of the derived tables."""
