"""The selected documents' texts, cut into passages, with the concepts that questions name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from flows.retrieval.concepts import WANTED
from flows.retrieval.passage import Span, cut_passages
from flows.warehouse.by_document import chunks, in_chunk, near_chunk, rows_of, sort_rows
from flows.warehouse.condition import check_condition, condition_error
from flows.warehouse.layout import Connection
from flows.warehouse.views.entities import LINK_JOINS, LINKED

SEARCHED = "temp.main.searched"
"""Documents that are searched: ordinal (1, 2 ...), place (their rowid), document_id, person_id,
annotation_id (null where there is no current annotation), rank (by document_id)."""

_SEARCHED = """
CREATE OR REPLACE TEMP TABLE searched AS
SELECT row_number() OVER (ORDER BY {order}d.corpus, d.place) AS ordinal,
  row_number() OVER (ORDER BY d.document_id) AS rank,
  d.place, d.document_id, d.person_id, a.annotation_id
FROM (SELECT rowid AS place, * FROM documents WHERE (
{where}
)) d
LEFT JOIN document_annotations a
  ON a.document_id = d.document_id AND a.is_current AND a.status = 'done'
WHERE NOT d.is_deleted AND d.text IS NOT NULL{only}
"""

_SPANS = f"""
SELECT s.ordinal, t.start_char, t.end_char FROM {{table}} t
JOIN {SEARCHED} s ON s.document_id = t.document_id AND s.annotation_id = t.annotation_id
"""

_MENTIONS = f"""
SELECT DISTINCT s.ordinal, m.start_char, w.phrase, m.mention_id
FROM mentions m
JOIN {SEARCHED} s ON s.document_id = m.document_id AND s.annotation_id = m.annotation_id
JOIN linksets l ON l.is_current
{LINK_JOINS}
JOIN {WANTED} w ON w.concept_id = {LINKED}
"""
# A phrase that two ontologies know is one phrase: its mentions count once.
_ONCE = f"SELECT DISTINCT ordinal, start_char, phrase, mention_id FROM ({_MENTIONS})"


@dataclass(frozen=True, slots=True)
class SearchedDocument:
    """A document, its passages, and of each passage how many mentions each phrase has there."""

    ordinal: int
    rank: int
    document_id: str
    person_id: str | None
    text: str
    passages: tuple[Span, ...]
    phrases: tuple[Mapping[int, int], ...]


def choose_documents(connection: Connection, where: str, *, by_person: bool = False) -> int:
    """Make the table :data:`SEARCHED`; returns how many documents are in it.

    Deleted documents, and those whose text privacy leaves out, are not searched.

    Args:
        connection: of a warehouse, to read at least.
        where: an SQL condition over the columns of ``documents``.
        by_person: only documents of persons, those of one person side by side.

    Raises:
        CharthouseError: the condition is none, or fails.
    """
    check_condition(connection, where)
    order, only = ("d.person_id, ", " AND d.person_id IS NOT NULL") if by_person else ("", "")
    try:
        connection.execute(_SEARCHED.format(order=order, only=only, where=where))
    except duckdb.Error as error:
        raise condition_error(error) from None
    ((documents,),) = connection.execute(f"SELECT count(*) FROM {SEARCHED}").fetchall()
    return int(documents)


def stream_passages(
    connection: Connection, characters: int, *, concepts: bool
) -> Iterator[SearchedDocument]:
    """Yield the documents of :data:`SEARCHED` by ordinal, cut into passages.

    Args:
        connection: after :func:`choose_documents`, and with ``concepts`` after
            :func:`flows.retrieval.concepts.find_concepts`.
        characters: of a passage at most.
        concepts: whether mentions are looked at.
    """
    parts = {
        "sentences": ("start_char, end_char", _SPANS.format(table="sentences")),
        "sections": ("start_char, end_char", _SPANS.format(table="sections")),
        **({"mentions": ("start_char, phrase, mention_id", _ONCE)} if concepts else {}),
    }
    for table, (_, query) in parts.items():
        sort_rows(connection, _sorted(table), query, temporary=True)
    for first in chunks(connection, SEARCHED):
        found = {
            table: rows_of(connection, _sorted(table), order, first)
            for table, (order, _) in parts.items()
        }
        sentences, sections = found["sentences"], found["sections"]
        mentions = found.get("mentions", {})
        for ordinal, rank, document_id, person_id, text in _documents(connection, first):
            passages = cut_passages(
                text, sentences.get(ordinal, []), sections.get(ordinal, []), characters
            )
            yield SearchedDocument(
                ordinal,
                rank,
                document_id,
                person_id,
                text,
                tuple(passages),
                _count_phrases(passages, mentions.get(ordinal, [])),
            )
    for table in parts:
        connection.execute(f"DROP TABLE {_sorted(table)}")


def fetch_texts(connection: Connection, ordinals: Sequence[int]) -> dict[int, tuple[str, str]]:
    """document_id and text of some of the documents of :data:`SEARCHED`, by ordinal."""
    if not ordinals:
        return {}
    rows = connection.execute(
        f"SELECT s.ordinal, d.document_id, d.text FROM documents d JOIN {SEARCHED} s "
        "ON s.place = d.rowid WHERE list_contains(?, s.ordinal)",
        [list(ordinals)],
    ).fetchall()
    return {ordinal: (document_id, text) for ordinal, document_id, text in rows}


def _count_phrases(
    passages: Sequence[Span], mentions: Sequence[tuple[int, int, int]]
) -> tuple[Mapping[int, int], ...]:
    """Of each passage the mentions that begin in it, by phrase."""
    counts: list[dict[int, int]] = [{} for _ in passages]
    row = 0
    for start, phrase, _ in mentions:
        while row < len(passages) and passages[row][1] <= start:
            row += 1
        if row < len(passages) and passages[row][0] <= start:
            counts[row][phrase] = counts[row].get(phrase, 0) + 1
    return tuple(counts)


def _documents(connection: Connection, first: int) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT s.ordinal, s.rank, d.document_id, d.person_id, d.text "
        f"FROM documents d JOIN (FROM {SEARCHED} WHERE {in_chunk(first)}) s ON d.rowid = s.place "
        f"WHERE {near_chunk(connection, SEARCHED, first)} ORDER BY s.ordinal"
    ).fetchall()


def _sorted(table: str) -> str:
    return f"searched_{table}"
