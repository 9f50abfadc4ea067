"""Mentions with their concepts, and what models wrote: the views analysts start from."""

from __future__ import annotations

from flows.warehouse.views.view import View

LINKED = "coalesce(ml.concept_id, n.concept_id)"
"""A mention's concept in a linkset, after :data:`LINK_JOINS`: what context chose goes first."""

ENTITY_COLUMNS = f"""
  m.document_id, m.mention_id, d.corpus, d.kind, d.document_date, d.document_type, d.person_id,
  m.start_char, m.end_char, m.mention_text, m.label, m.score, s.name AS section,
  m.negated, m.uncertain, m.historical, m.hypothetical, m.experiencer,
  m.lookup_text, {LINKED} AS concept_id, c.concept_name,
  coalesce(ml.score, n.score) AS link_score, coalesce(ml.method, n.method) AS link_method,
  l.linkset_id, m.annotation_id, a.run_id
"""

LINK_JOINS = """\
LEFT JOIN mention_links ml
  ON ml.document_id = m.document_id AND ml.annotation_id = m.annotation_id
  AND ml.mention_id = m.mention_id AND ml.linkset_id = l.linkset_id
LEFT JOIN name_links n
  ON n.lookup_text = m.lookup_text AND n.label = m.label AND n.linkset_id = l.linkset_id
  AND n.rank = 1 AND n.status = 'linked'"""
"""From mentions ``m`` and linksets ``l`` to their links, ``ml`` by context and ``n`` by name."""

ENTITY_JOINS_OF = f"""
FROM mentions m
JOIN document_annotations a
  ON a.document_id = m.document_id AND a.annotation_id = m.annotation_id AND {{annotations}}
JOIN documents d ON d.document_id = m.document_id
LEFT JOIN sections s
  ON s.document_id = m.document_id AND s.annotation_id = m.annotation_id
  AND s.section_id = m.section_id
{{linksets}}
{LINK_JOINS}
LEFT JOIN concepts c
  ON c.release_id = l.release_id AND c.concept_id = {LINKED}
"""
"""Mentions ``m`` with all that belongs to them; ``{annotations}`` says which of the ledger ``a``
count, ``{linksets}`` is the join of linksets ``l``.
"""

ENTITY_JOINS = ENTITY_JOINS_OF.replace("{annotations}", "a.is_current")
"""The same of current annotations."""

FIRST_LINKSET = "LEFT JOIN linksets l ON l.is_current AND l.position = 1"

ENTITIES = View(
    "entities",
    "Current mentions with their best linked concept from the first ontology, flat: start here.",
    f"SELECT {ENTITY_COLUMNS} " + ENTITY_JOINS.format(linksets=FIRST_LINKSET),
)

ENTITIES_ALL = View(
    "entities_all",
    "The same for every current ontology: one row per mention and ontology.",
    f"SELECT {ENTITY_COLUMNS} "
    + ENTITY_JOINS.format(linksets="LEFT JOIN linksets l ON l.is_current"),
)

_ENDS = ", ".join(
    f"{letter}.mention_id AS {end}_mention_id, {letter}.mention_text AS {end}_text, "
    f"{letter}.label AS {end}_label, {letter}.concept_id AS {end}_concept_id, "
    f"coalesce({letter}.concept_name, {letter}.mention_text) AS {end}_name"
    for letter, end in (("s", "subject"), ("o", "object"))
)

RELATION_ENTITIES = View(
    "relation_entities",
    "Relations between current mentions, each end with its words and concept, flat.",
    f"""
SELECT r.document_id, r.relation_id, s.corpus, s.kind, s.document_date, s.document_type,
  s.person_id, r.relation, r.score, r.model, {_ENDS}, r.generation_id, r.annotation_id
FROM relations r
JOIN entities s
  ON s.document_id = r.document_id AND s.annotation_id = r.annotation_id
  AND s.mention_id = r.subject_mention_id
JOIN entities o
  ON o.document_id = r.document_id AND o.annotation_id = r.annotation_id
  AND o.mention_id = r.object_mention_id
""",
)

GENERATIONS_CURRENT = View(
    "generations_current",
    "Of each item, task and prompt the text of the generation set that was begun last. Written by "
    "a model: it may be wrong.",
    """
SELECT g.item_id, g.document_id, g.person_id, g.task, g.question, g.text, g.finish_reason,
  g.truncated_tokens, g.model, g.prompt, g.prompt_version, g.generation_id, g.is_generated
FROM generations g JOIN generation_sets s USING (generation_id)
QUALIFY row_number() OVER (
  PARTITION BY g.item_id, g.task, g.prompt ORDER BY s.created_at DESC, g.generation_id DESC) = 1
""",
)

ENTITY_VIEWS = (ENTITIES, ENTITIES_ALL, RELATION_ENTITIES, GENERATIONS_CURRENT)
