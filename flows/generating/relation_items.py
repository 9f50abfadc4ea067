"""Documents of a warehouse as texts between whose mentions relations are sought.

The chosen documents and what belongs to them are put into temporary tables and fetched by the
hundred, so that memory holds some hundred documents, whatever the corpus.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from flows.generating.schema import ITEM_SCHEMA
from flows.warehouse.connection import Connection
from flows.warehouse.views import ENTITY_JOINS, FIRST_LINKSET
from nlp.relations.text import ConceptMention, RelationText

_AT_ONCE = 500
_NAMED = "name:"


@dataclass(frozen=True)
class RelationItem:
    """A document: its text, annotation set, and the ids of the mentions in the text's order."""

    annotation_id: str
    text: RelationText
    mention_ids: tuple[int, ...]


def relation_items(connection: Connection, where: str) -> Iterator[pl.DataFrame]:
    """Frames of ``ITEM_SCHEMA``, one row for each current, annotated document that has a text.

    Their ``source_hash`` is of text, annotation set, sentences, mentions and concepts.

    Args:
        connection: of the warehouse, also one for reading only; its temporary tables are used.
        where: a condition in SQL over the columns of ``documents``, checked before.
    """
    connection.execute(
        # The condition stands alone, and on lines of its own: a comment in it ends there.
        f"""
        CREATE OR REPLACE TEMP TABLE related_documents AS
        SELECT row_number() OVER (ORDER BY d.place) AS ordinal, d.place, d.document_id,
          a.annotation_id
        FROM (SELECT rowid AS place, document_id, text, is_deleted FROM documents WHERE (
        {where}
        )) d
        JOIN document_annotations a
          ON a.document_id = d.document_id AND a.is_current AND a.status = 'done'
        WHERE NOT d.is_deleted AND d.text IS NOT NULL
        """
    )
    connection.execute(_MENTIONS)
    connection.execute(_SENTENCES)
    connection.execute(_BROADER)
    ((count,),) = connection.execute("SELECT count(*) FROM related_documents").fetchall()
    try:
        for first in range(1, count + 1, _AT_ONCE):
            yield _frame(connection, first)
    finally:
        for table in ("related_broader", "related_sentences", "related_mentions"):
            connection.execute(f"DROP TABLE IF EXISTS temp.{table}")
        connection.execute("DROP TABLE IF EXISTS temp.related_documents")


_OF_DOCUMENTS = (
    "JOIN related_documents e "
    "ON e.document_id = {0}.document_id AND e.annotation_id = {0}.annotation_id"
)

_MENTIONS = f"""
CREATE OR REPLACE TEMP TABLE related_mentions AS
SELECT e.ordinal, m.start_char, m.end_char, m.mention_id, m.label,
  coalesce(ml.concept_id, n.concept_id) AS concept_id, m.lookup_text, c.concept_name
{ENTITY_JOINS.format(linksets=FIRST_LINKSET)} {_OF_DOCUMENTS.format("m")}
ORDER BY ALL
"""

_SENTENCES = f"""
CREATE OR REPLACE TEMP TABLE related_sentences AS
SELECT e.ordinal, s.start_char, s.end_char
FROM sentences s {_OF_DOCUMENTS.format("s")}
ORDER BY ALL
"""

_BROADER = """
CREATE OR REPLACE TEMP TABLE related_broader AS
SELECT DISTINCT one.ordinal, other.concept_id
FROM (SELECT DISTINCT ordinal, concept_id FROM related_mentions) one
JOIN concept_ancestors k ON k.concept_id = one.concept_id AND k.distance > 0
JOIN linksets l ON l.release_id = k.release_id AND l.is_current AND l.position = 1
JOIN (SELECT DISTINCT ordinal, concept_id FROM related_mentions) other
  ON other.ordinal = one.ordinal AND other.concept_id = k.ancestor_id
ORDER BY ALL
"""


def _frame(connection: Connection, first: int) -> pl.DataFrame:
    some = f"ordinal >= {first} AND ordinal < {first + _AT_ONCE}"
    rows = {
        name: _by_ordinal(connection, f"FROM related_{name} WHERE {some} ORDER BY ALL")
        for name in ("mentions", "sentences", "broader")
    }
    ((low, high),) = connection.execute(
        f"SELECT min(place), max(place) FROM related_documents WHERE {some}"
    ).fetchall()
    # The bounds spare reading row groups that hold none of them.
    documents = connection.execute(
        "SELECT e.ordinal, d.document_id, d.person_id, d.text, e.annotation_id "
        f"FROM documents d JOIN (FROM related_documents WHERE {some}) e ON d.rowid = e.place "
        f"WHERE d.rowid >= {low} AND d.rowid <= {high} ORDER BY e.ordinal"
    ).fetchall()
    found = []
    for ordinal, document_id, person_id, text, annotation_id in documents:
        item = {
            "annotation_id": annotation_id,
            "text": text,
            "mentions": rows["mentions"].get(ordinal, []),
            "sentences": rows["sentences"].get(ordinal, []),
            "broader": [concept for (concept,) in rows["broader"].get(ordinal, [])],
        }
        content = json.dumps(item, ensure_ascii=False)
        digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
        found.append((document_id, document_id, person_id, digest, len(text), content))
    return pl.DataFrame(found, schema=ITEM_SCHEMA, orient="row")


def _by_ordinal(connection: Connection, query: str) -> dict[int, list[list[Any]]]:
    found: dict[int, list[list[Any]]] = {}
    for ordinal, *values in connection.execute(query).fetchall():
        found.setdefault(ordinal, []).append(values)
    return found


def read_relation_item(content: str) -> RelationItem:
    """The item of a shard file. A mention without a concept stands for its name."""
    raw = json.loads(content)
    mentions = []
    for start, end, _, label, concept, lookup_text, concept_name in raw["mentions"]:
        own = concept or _NAMED + " ".join(lookup_text.split()).casefold()
        names = tuple(name for name in (lookup_text, concept_name) if name)
        mentions.append(ConceptMention(start, end, label, (own,), names))
    return RelationItem(
        raw["annotation_id"],
        RelationText(
            raw["text"],
            tuple(mentions),
            tuple((start, end) for start, end in raw["sentences"]),
            frozenset(raw["broader"]),
        ),
        tuple(row[2] for row in raw["mentions"]),
    )


def is_concept(concept: str) -> bool:
    """Whether an id of a mention is a concept's, rather than a name's."""
    return not concept.startswith(_NAMED)
