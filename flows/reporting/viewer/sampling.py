"""Which documents the viewer shows: drawn at random, the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flows.warehouse.connection import Connection
from flows.warehouse.views.entities import ENTITY_JOINS, FIRST_LINKSET

# Annotations of another version of the text would mark other words than they are about.
_SHOWABLE = """
FROM documents d
JOIN document_annotations a
  ON a.document_id = d.document_id AND a.is_current AND a.status = 'done'
  AND a.source_hash = d.source_hash
WHERE NOT d.is_deleted AND d.text IS NOT NULL
"""

# Not DuckDB's own sample or hash, whose draw may be another one in its next version.
_DRAWN = f"""
WITH drawn AS (
  SELECT d.document_id, md5($seed || ':' || d.document_id) AS lot {_SHOWABLE}
  ORDER BY lot, d.document_id LIMIT $documents
)
SELECT d.document_id, d.corpus, d.kind, d.document_type, d.document_date, d.text, a.annotation_id,
  a.run_id
FROM drawn JOIN documents d USING (document_id)
JOIN document_annotations a ON a.document_id = d.document_id AND a.is_current
ORDER BY drawn.lot, d.document_id
"""

_SECTIONS = """
SELECT s.document_id, s.name, s.start_char, s.end_char, s.heading_end_char FROM sections s
JOIN document_annotations a
  ON a.document_id = s.document_id AND a.annotation_id = s.annotation_id AND a.is_current
WHERE s.document_id IN (SELECT unnest($ids))
ORDER BY s.document_id, s.start_char
"""

# The joins find only these mentions under the table's name: choosing at the end is slower.
_MENTIONS = (
    """
WITH mentions AS (FROM main.mentions WHERE document_id IN (SELECT unnest($ids)))
SELECT m.document_id, m.start_char, m.end_char, m.label, m.score, m.model, m.lookup_text,
  s.name, m.negated, m.uncertain, m.historical, m.hypothetical, m.experiencer,
  coalesce(ml.concept_id, n.concept_id), c.concept_name, coalesce(ml.score, n.score),
  CASE WHEN coalesce(ml.concept_id, n.concept_id) IS NOT NULL
    THEN coalesce(ml.method, n.method) ELSE k.status END
"""
    + ENTITY_JOINS.format(linksets=FIRST_LINKSET)
    + """
LEFT JOIN name_links k
  ON k.lookup_text = m.lookup_text AND k.label = m.label AND k.linkset_id = l.linkset_id
  AND k.rank = 1
ORDER BY m.document_id, m.start_char, m.end_char DESC, m.mention_id
"""
)


@dataclass(frozen=True)
class Drawn:
    """A document to show, with where its annotations come from."""

    document_id: str
    corpus: str
    kind: str
    document_type: str | None
    document_date: date | None
    text: str
    annotation_id: str
    run_id: str


def count_showable(connection: Connection) -> tuple[int, int]:
    """How many documents could be shown, and how many could not since their text is left out."""
    ((showable,),) = connection.execute(f"SELECT count(*) {_SHOWABLE}").fetchall()
    ((without_text,),) = connection.execute(
        "SELECT count(*) FROM documents WHERE NOT is_deleted AND text IS NULL"
    ).fetchall()
    return int(showable), int(without_text)


def draw_documents(connection: Connection, documents: int, seed: int) -> list[Drawn]:
    """At most so many documents, in the order of the draw: fewer are the first of more."""
    rows = connection.execute(_DRAWN, {"seed": str(seed), "documents": documents}).fetchall()
    return [Drawn(*row) for row in rows]


def sections_of(connection: Connection, ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """Sections: document_id, and the columns of :class:`flows.showing.document.ShownSection`."""
    return connection.execute(_SECTIONS, {"ids": list(ids)}).fetchall()


def mentions_of(connection: Connection, ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """Current mentions with their links to the first ontology, in text order.

    Returns:
        document_id, start_char, end_char, label, score, model, lookup_text, section, negated,
        uncertain, historical, hypothetical, experiencer, concept_id, concept_name, link score, and
        method or, without a concept, the status of the name.
    """
    return connection.execute(_MENTIONS, {"ids": list(ids)}).fetchall()
