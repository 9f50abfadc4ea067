"""The views analysts start from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """A view: what it shows and the query that makes it."""

    name: str
    meaning: str
    query: str


_ENTITY_COLUMNS = """
  m.document_id, m.mention_id, d.corpus, d.kind, d.document_date, d.document_type, d.person_id,
  m.start_char, m.end_char, m.mention_text, m.label, m.score, s.name AS section,
  m.negated, m.uncertain, m.historical, m.hypothetical, m.experiencer,
  m.lookup_text, coalesce(ml.concept_id, n.concept_id) AS concept_id, c.concept_name,
  coalesce(ml.score, n.score) AS link_score, coalesce(ml.method, n.method) AS link_method,
  l.linkset_id, m.annotation_id, a.run_id
"""

ENTITY_JOINS = """
FROM mentions m
JOIN document_annotations a
  ON a.document_id = m.document_id AND a.annotation_id = m.annotation_id AND a.is_current
JOIN documents d ON d.document_id = m.document_id
LEFT JOIN sections s
  ON s.document_id = m.document_id AND s.annotation_id = m.annotation_id
  AND s.section_id = m.section_id
{linksets}
LEFT JOIN mention_links ml
  ON ml.document_id = m.document_id AND ml.annotation_id = m.annotation_id
  AND ml.mention_id = m.mention_id AND ml.linkset_id = l.linkset_id
LEFT JOIN name_links n
  ON n.lookup_text = m.lookup_text AND n.label = m.label AND n.linkset_id = l.linkset_id
  AND n.rank = 1 AND n.status = 'linked'
LEFT JOIN concepts c
  ON c.release_id = l.release_id AND c.concept_id = coalesce(ml.concept_id, n.concept_id)
"""
"""Mentions ``m`` with all that belongs to them; ``{linksets}`` is the join of linksets ``l``."""

FIRST_LINKSET = "LEFT JOIN linksets l ON l.is_current AND l.position = 1"

ENTITIES = View(
    "entities",
    "Current mentions with their best linked concept from the first ontology, flat: start here.",
    f"SELECT {_ENTITY_COLUMNS} " + ENTITY_JOINS.format(linksets=FIRST_LINKSET),
)

ENTITIES_ALL = View(
    "entities_all",
    "The same for every current ontology: one row per mention and ontology.",
    f"SELECT {_ENTITY_COLUMNS} "
    + ENTITY_JOINS.format(linksets="LEFT JOIN linksets l ON l.is_current"),
)

VIEWS = (ENTITIES, ENTITIES_ALL)
