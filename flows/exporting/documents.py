"""The selected documents one after the other, each with its mentions: two streams, merged.

Mentions are sorted by DuckDB, which goes to disk for it; documents are fetched by the place where
they are stored. So memory holds some hundred documents, whatever the corpus.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from flows.exporting.selection import SELECTED
from flows.warehouse.ddl import quoted
from flows.warehouse.layout import Connection
from flows.warehouse.views import ENTITY_JOINS, FIRST_LINKSET

_DOCUMENTS_AT_ONCE = 500
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class ExportMention:
    """A current mention with its concept from the first ontology."""

    mention_id: int
    start_char: int
    end_char: int
    mention_text: str | None
    label: str
    score: float
    model: str
    lookup_text: str
    negated: bool | None
    uncertain: bool | None
    historical: bool | None
    hypothetical: bool | None
    experiencer: str | None
    concept_id: str | None
    concept_name: str | None


@dataclass(frozen=True, slots=True)
class ExportDocument:
    """A document with its mentions in text order.

    ``sections`` are (start_char, end_char, name); ``cues`` lists rule_ids by mention_id;
    ``quantities`` are rows by column name. They are empty where they were not asked for.
    """

    document_id: str
    corpus: str
    native_id: str
    kind: str
    title: str | None
    text: str | None
    document_date: date | None
    document_type: str | None
    person_id: str | None
    encounter_id: str | None
    annotation_id: str
    annotated_at: datetime | None
    mentions: tuple[ExportMention, ...]
    sections: tuple[tuple[int, int, str], ...] = ()
    cues: dict[int, list[str]] = field(default_factory=dict)
    quantities: tuple[dict[str, Any], ...] = ()


_MENTIONS = f"""
SELECT e.ordinal, m.mention_id, m.start_char, m.end_char, m.mention_text, m.label, m.score,
  m.model, m.lookup_text, m.negated, m.uncertain, m.historical, m.hypothetical, m.experiencer,
  coalesce(ml.concept_id, n.concept_id), c.concept_name
{ENTITY_JOINS.format(linksets=FIRST_LINKSET)}
JOIN {SELECTED} e ON e.document_id = m.document_id AND e.annotation_id = m.annotation_id
ORDER BY e.ordinal, m.start_char, m.end_char, m.mention_id
"""

_OF_DOCUMENT = f"""
SELECT e.ordinal, {{columns}} FROM {{table}} t
JOIN {SELECTED} e ON e.document_id = t.document_id AND e.annotation_id = t.annotation_id
ORDER BY e.ordinal, {{columns}}
"""

_QUANTITY_COLUMNS = (
    *("quantity_id", "start_char", "end_char", "kind", "mention_id"),
    *("comparator", "value", "high", "unit"),
)


def stream_documents(
    connection: Connection,
    *,
    text: bool = True,
    sections: bool = False,
    cues: bool = False,
    quantities: bool = False,
) -> Iterator[ExportDocument]:
    """Yield the selected documents, by corpus and then as stored; annotated ones only.

    Args:
        connection: after :func:`flows.exporting.selection.select_documents`.
        text: whether texts are wanted; titles go with them.
        sections: whether sections are.
        cues: whether rule_ids of assertions are.
        quantities: whether quantities are.
    """
    mentions = _Groups(connection, _MENTIONS)
    by_section = _of_document(connection, sections, "sections", "start_char, end_char, name")
    by_cue = _of_document(connection, cues, "assertion_cues", "mention_id, rule_id")
    by_quantity = _of_document(connection, quantities, "quantities", ", ".join(_QUANTITY_COLUMNS))
    with mentions, by_section, by_cue, by_quantity:
        for ordinal, *columns in _documents(connection, text):
            rules: dict[int, list[str]] = {}
            for mention_id, rule_id in by_cue.of(ordinal):
                rules.setdefault(mention_id, []).append(rule_id)
            columns += [
                tuple(ExportMention(*row) for row in mentions.of(ordinal)),
                tuple(by_section.of(ordinal)),
                rules,
                tuple(
                    dict(zip(_QUANTITY_COLUMNS, row, strict=True))
                    for row in by_quantity.of(ordinal)
                ),
            ]
            yield ExportDocument(*columns)


def _documents(connection: Connection, text: bool) -> Iterator[tuple[Any, ...]]:
    title_and_text = "d.title, d.text" if text else "NULL, NULL"
    ((last,),) = connection.execute(f"SELECT max(ordinal) FROM {SELECTED}").fetchall()
    for first in range(1, last + 1, _DOCUMENTS_AT_ONCE):
        end = first + _DOCUMENTS_AT_ONCE
        chosen = f"ordinal >= {first} AND ordinal < {end}"
        ((low, high),) = connection.execute(
            f"SELECT min(place), max(place) FROM {SELECTED} WHERE {chosen}"
        ).fetchall()
        # The bounds spare reading row groups that hold none of them.
        yield from connection.execute(
            "SELECT e.ordinal, d.document_id, d.corpus, d.native_id, d.kind, "
            f"{title_and_text}, d.document_date, d.document_type, d.person_id, d.encounter_id, "
            "e.annotation_id, coalesce(h.loaded_at, r.started_at, t.created_at) "
            f"FROM documents d JOIN (FROM {SELECTED} WHERE {chosen}) e ON d.rowid = e.place "
            "LEFT JOIN shards h ON h.shard_id = e.shard_id LEFT JOIN runs r ON r.run_id = e.run_id "
            "LEFT JOIN annotation_sets t ON t.annotation_id = e.annotation_id "
            f"WHERE d.rowid >= {low} AND d.rowid <= {high} ORDER BY e.ordinal"
        ).fetchall()


def _of_document(connection: Connection, wanted: bool, table: str, columns: str) -> _Groups:
    query = _OF_DOCUMENT.format(table=table, columns=columns)
    return _Groups(connection, query if wanted else None)


class _Groups:
    """A sorted query's rows by their first column, which is asked for in rising order."""

    def __init__(self, connection: Connection, query: str | None) -> None:
        self._cursor = connection.cursor()
        ((database,),) = connection.execute("SELECT current_database()").fetchall()
        self._cursor.execute(f"USE {quoted(database)}")
        self._groups = itertools.groupby(self._rows(query), key=itemgetter(0))
        self._next: tuple[int, list[tuple[Any, ...]]] | None = None

    def __enter__(self) -> _Groups:
        return self

    def __exit__(self, *error: object) -> None:
        self._cursor.close()

    def of(self, ordinal: int) -> list[tuple[Any, ...]]:
        """The rows of a document, without the first column."""
        while self._next is None or self._next[0] < ordinal:
            found = next(self._groups, None)
            if found is None:
                return []
            self._next = (found[0], [row[1:] for row in found[1]])
        return self._next[1] if self._next[0] == ordinal else []

    def _rows(self, query: str | None) -> Iterator[tuple[Any, ...]]:
        if query is None:
            return
        self._cursor.execute(query)
        while rows := self._cursor.fetchmany(_ROWS_AT_ONCE):
            yield from rows
