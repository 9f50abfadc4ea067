"""Counts over all current mentions, in two passes that leave out what the counts do not need.

The view ``entities`` joins documents, sections and concepts to every mention; over millions of
mentions that costs several times what counting does.
"""

from __future__ import annotations

from dataclasses import dataclass

from flows.warehouse.connection import Connection

TOP_CONCEPTS = 10


@dataclass(frozen=True)
class EntityCounts:
    """What the view ``entities`` holds.

    ``labels`` counts mentions, the most frequent label first; ``top_concepts`` are the concepts of
    the most documents: id, name, documents, mentions.
    """

    mentions: int
    linked_mentions: int
    labels: dict[str, int]
    top_concepts: list[tuple[str, str, int, int]]


_LINKED = """
FROM mentions m
SEMI JOIN (FROM document_annotations WHERE is_current) a USING (document_id, annotation_id)
LEFT JOIN (FROM mention_links SEMI JOIN (FROM linksets WHERE is_current AND position = 1)
  USING (linkset_id)) c
  ON c.document_id = m.document_id AND c.annotation_id = m.annotation_id
  AND c.mention_id = m.mention_id
LEFT JOIN (FROM name_links SEMI JOIN (FROM linksets WHERE is_current AND position = 1)
  USING (linkset_id) WHERE rank = 1 AND status = 'linked') n
  ON n.lookup_text = m.lookup_text AND n.label = m.label
"""

_BY_CONCEPT = f"""
CREATE OR REPLACE TEMP TABLE entity_counts AS
SELECT m.label, coalesce(c.concept_id, n.concept_id) AS concept_id, count(*) AS mentions
{_LINKED} GROUP BY ALL
"""

# A concept of few mentions cannot be in many documents: only the most frequent ones are asked for.
_TOP = f"""
WITH top AS (
  SELECT concept_id, sum(mentions)::BIGINT AS mentions FROM entity_counts
  WHERE concept_id IS NOT NULL GROUP BY concept_id ORDER BY mentions DESC, concept_id LIMIT $ahead
), found AS (
  SELECT coalesce(c.concept_id, n.concept_id) AS concept_id,
    count(DISTINCT m.document_id) AS documents
  {_LINKED} WHERE coalesce(c.concept_id, n.concept_id) IN (SELECT concept_id FROM top)
  GROUP BY ALL
)
SELECT concept_id, (SELECT any_value(k.concept_name) FROM concepts k JOIN linksets l
    ON l.release_id = k.release_id AND l.is_current AND l.position = 1
    WHERE k.concept_id = found.concept_id) AS concept_name, documents, mentions
FROM found JOIN top USING (concept_id)
ORDER BY documents DESC, mentions DESC, concept_id LIMIT {TOP_CONCEPTS}
"""


def count_entities(connection: Connection) -> EntityCounts:
    """Count the current mentions, linked by the first ontology."""
    connection.execute(_BY_CONCEPT)
    ((mentions, linked),) = connection.execute(
        "SELECT coalesce(sum(mentions), 0)::BIGINT, "
        "coalesce(sum(mentions) FILTER (concept_id IS NOT NULL), 0)::BIGINT FROM entity_counts"
    ).fetchall()
    labels = connection.execute(
        "SELECT label, sum(mentions)::BIGINT FROM entity_counts GROUP BY label ORDER BY 2 DESC, 1"
    ).fetchall()
    top = _top_concepts(connection)
    connection.execute("DROP TABLE entity_counts")
    return EntityCounts(mentions, linked, dict(labels), top)


def _top_concepts(connection: Connection) -> list[tuple[str, str, int, int]]:
    """Those of the most documents, sought among so many of the most mentions as may hold them."""
    ((concepts,),) = connection.execute(
        "SELECT count(DISTINCT concept_id) FROM entity_counts"
    ).fetchall()
    ahead = 10 * TOP_CONCEPTS
    while True:
        top = connection.execute(_TOP, {"ahead": ahead}).fetchall()
        passed_over = connection.execute(
            "SELECT sum(mentions)::BIGINT AS n FROM entity_counts WHERE concept_id IS NOT NULL "
            "GROUP BY concept_id ORDER BY n DESC, concept_id LIMIT 1 OFFSET ?",
            [ahead],
        ).fetchall()
        if not passed_over or (top and passed_over[0][0] < top[-1][2]) or ahead >= concepts:
            return top
        ahead *= 10
