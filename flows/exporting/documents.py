"""The selected documents one after the other, each with its mentions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from flows.exporting.selection import SELECTED
from flows.warehouse.by_document import chunks, in_chunk, near_chunk, rows_of, sort_rows
from flows.warehouse.layout import Connection
from flows.warehouse.views import ENTITY_JOINS, FIRST_LINKSET

RULED_OUT = "rule_out"
"""What the ids of rules hold that find something is to be ruled out: more than low certainty."""


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
  coalesce(ml.concept_id, n.concept_id) AS concept_id, c.concept_name
{ENTITY_JOINS.format(linksets=FIRST_LINKSET)}
JOIN {SELECTED} e ON e.document_id = m.document_id AND e.annotation_id = m.annotation_id
"""

_OF_DOCUMENT = f"""
SELECT e.ordinal, {{columns}} FROM {{table}} t
JOIN {SELECTED} e ON e.document_id = t.document_id AND e.annotation_id = t.annotation_id
"""

_QUANTITY_COLUMNS = (
    *("quantity_id", "start_char", "end_char", "kind", "mention_id"),
    *("comparator", "value", "high", "unit", "name"),
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
    parts = {
        "mentions": (True, "start_char, end_char, mention_id", _MENTIONS),
        "sections": (sections, "start_char, end_char, name", _OF_DOCUMENT),
        "assertion_cues": (cues, "mention_id, rule_id", _OF_DOCUMENT),
        "quantities": (quantities, ", ".join(_QUANTITY_COLUMNS), _OF_DOCUMENT),
    }
    orders = {}
    for table, (wanted, names, query) in parts.items():
        if wanted:
            orders[table] = names
            sort_rows(connection, _sorted(table), query.format(table=table, columns=names))
    for first in chunks(connection, SELECTED):
        found = {
            table: rows_of(connection, _sorted(table), order, first)
            for table, order in orders.items()
        }
        for ordinal, *columns in _documents(connection, text, first):
            rows = {table: found.get(table, {}).get(ordinal, []) for table in parts}
            rules: dict[int, list[str]] = {}
            for mention_id, rule_id in rows["assertion_cues"]:
                rules.setdefault(mention_id, []).append(rule_id)
            columns += [
                tuple(ExportMention(*row) for row in rows["mentions"]),
                tuple(rows["sections"]),
                rules,
                tuple(dict(zip(_QUANTITY_COLUMNS, r, strict=True)) for r in rows["quantities"]),
            ]
            yield ExportDocument(*columns)
    for table in orders:
        connection.execute(f"DROP TABLE {_sorted(table)}")


def _documents(connection: Connection, text: bool, first: int) -> list[tuple[Any, ...]]:
    title_and_text = "d.title, d.text" if text else "NULL, NULL"
    return connection.execute(
        "SELECT e.ordinal, d.document_id, d.corpus, d.native_id, d.kind, "
        f"{title_and_text}, d.document_date, d.document_type, d.person_id, d.encounter_id, "
        "e.annotation_id, coalesce(h.loaded_at, r.started_at, t.created_at) "
        f"FROM documents d JOIN (FROM {SELECTED} WHERE {in_chunk(first)}) e ON d.rowid = e.place "
        "LEFT JOIN shards h ON h.shard_id = e.shard_id LEFT JOIN runs r ON r.run_id = e.run_id "
        "LEFT JOIN annotation_sets t ON t.annotation_id = e.annotation_id "
        f"WHERE {near_chunk(connection, SELECTED, first)} ORDER BY e.ordinal"
    ).fetchall()


def _sorted(table: str) -> str:
    return f"memory.main.sorted_{table}"
