"""What of the warehouse's documents goes into prompts.

The chosen documents and what belongs to them are first put into temporary tables, sorted by
document; then they are fetched by the hundred. So memory holds some hundred documents, whatever the
corpus.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from flows.warehouse.connection import Connection
from flows.warehouse.views import ENTITY_JOINS, FIRST_LINKSET

CONCEPTS, MENTIONS = "concepts", "mentions"
SECTION = "section:"
COLUMNS = ("text", "title", "document_type", "document_date", "kind")
"""Inputs of the same names as columns of ``documents``."""

LONG_CHARACTERS = 2_000
"""Of longer texts the warehouse's sections and sentences are used, should they be cut. A shorter
text is made no other input by new annotations of the same sections and findings."""

_AT_ONCE = 500
_BETWEEN = "; "


@dataclass
class DocumentText:
    """A document, and what prompts may have of it.

    ``inputs`` holds named inputs that are there; ``sections`` and ``sentences`` are spans of the
    text, None where they were not asked for or nothing is known.
    """

    document_id: str
    person_id: str | None
    kind: str
    inputs: dict[str, str]
    sections: list[tuple[int, int]] | None = None
    sentences: list[tuple[int, int]] | None = field(default=None)


def is_of_documents(name: str) -> bool:
    """Whether an input of this name is filled from the document."""
    return name in (*COLUMNS, CONCEPTS, MENTIONS) or name.startswith(SECTION)


def read_documents(
    connection: Connection, where: str, names: Collection[str]
) -> Iterator[DocumentText]:
    """The chosen documents that have a text, as they are stored.

    Args:
        connection: of the warehouse, also one for reading only; its temporary tables are used.
        where: a condition in SQL over the columns of ``documents``, checked before.
        names: inputs that are wanted.
    """
    chosen = _choose(connection, where)
    tables = _Tables(connection)
    tables.keep(
        "long_sections",
        f"SELECT e.ordinal, t.start_char, t.end_char FROM sections t {_OF_SELECTED} "
        f"WHERE e.characters > {LONG_CHARACTERS}",
    )
    tables.keep(
        "long_sentences",
        f"SELECT e.ordinal, t.start_char, t.end_char FROM sentences t {_OF_SELECTED} "
        f"WHERE e.characters > {LONG_CHARACTERS}",
    )
    if any(name.startswith(SECTION) for name in names):
        tables.keep(
            "named_sections",
            f"SELECT e.ordinal, t.start_char, t.end_char, t.name FROM sections t {_OF_SELECTED}",
        )
    if CONCEPTS in names or MENTIONS in names:
        tables.keep("affirmed", _AFFIRMED)
    for first in range(1, chosen + 1, _AT_ONCE):
        rows = {name: tables.rows(name, first) for name in tables.names}
        for ordinal, document in _documents(connection, first):
            _add(document, {name: rows[name].get(ordinal, []) for name in rows}, names)
            yield document
    tables.drop()


_OF_SELECTED = """
JOIN selected_texts e ON e.document_id = t.document_id AND e.annotation_id = t.annotation_id
"""

_AFFIRMED = f"""
SELECT e.ordinal, m.start_char, m.end_char, m.mention_text, c.concept_name
{ENTITY_JOINS.format(linksets=FIRST_LINKSET)}
JOIN selected_texts e ON e.document_id = m.document_id AND e.annotation_id = m.annotation_id
WHERE NOT coalesce(m.negated, false) AND NOT coalesce(m.uncertain, false)
  AND NOT coalesce(m.hypothetical, false) AND coalesce(m.experiencer, 'patient') = 'patient'
"""


def _choose(connection: Connection, where: str) -> int:
    """Make the table of chosen documents; returns their number."""
    # The condition stands alone, and on lines of its own: a comment in it ends there.
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE selected_texts AS
        SELECT row_number() OVER (ORDER BY d.place) AS ordinal, d.place, d.document_id,
          length(d.text) AS characters, a.annotation_id
        FROM (SELECT rowid AS place, document_id, text, is_deleted FROM documents WHERE (
        {where}
        )) d
        LEFT JOIN document_annotations a
          ON a.document_id = d.document_id AND a.is_current AND a.status = 'done'
        WHERE NOT d.is_deleted AND d.text IS NOT NULL
        """
    )
    ((count,),) = connection.execute("SELECT count(*) FROM selected_texts").fetchall()
    return int(count)


class _Tables:
    """Temporary tables of rows that belong to chosen documents, sorted by document."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.names: list[str] = []

    def keep(self, name: str, query: str) -> None:
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {name} AS {query} ORDER BY e.ordinal, 2, 3"
        )
        self.names.append(name)

    def rows(self, name: str, first: int) -> dict[int, list[tuple[Any, ...]]]:
        """Rows of some documents by ordinal, without it."""
        found = self._connection.execute(
            f"FROM {name} WHERE {_some(first)} ORDER BY ALL"
        ).fetchall()
        return {
            ordinal: [row[1:] for row in group]
            for ordinal, group in itertools.groupby(found, key=itemgetter(0))
        }

    def drop(self) -> None:
        for name in (*self.names, "selected_texts"):
            self._connection.execute(f"DROP TABLE {name}")


def _some(first: int) -> str:
    return f"ordinal >= {first} AND ordinal < {first + _AT_ONCE}"


def _documents(connection: Connection, first: int) -> list[tuple[int, DocumentText]]:
    ((low, high),) = connection.execute(
        f"SELECT min(place), max(place) FROM selected_texts WHERE {_some(first)}"
    ).fetchall()
    # The bounds spare reading row groups that hold none of them.
    rows = connection.execute(
        f"SELECT e.ordinal, d.document_id, d.person_id, d.kind, {', '.join(COLUMNS)} "
        f"FROM documents d JOIN (FROM selected_texts WHERE {_some(first)}) e ON d.rowid = e.place "
        f"WHERE d.rowid >= {low} AND d.rowid <= {high} ORDER BY e.ordinal"
    ).fetchall()
    found = []
    for ordinal, document_id, person_id, kind, *values in rows:
        inputs = {
            name: str(value)
            for name, value in zip(COLUMNS, values, strict=True)
            if value is not None
        }
        found.append((ordinal, DocumentText(document_id, person_id, kind, inputs)))
    return found


def _add(
    document: DocumentText, rows: dict[str, list[tuple[Any, ...]]], names: Collection[str]
) -> None:
    """Add what belongs to a document."""
    text = document.inputs["text"]
    document.sections = rows["long_sections"] or None
    document.sentences = rows["long_sentences"] or None
    for name in names:
        if name.startswith(SECTION):
            found = [
                text[start:end].strip()
                for start, end, section in rows["named_sections"]
                if section == name.removeprefix(SECTION)
            ]
            if found:
                document.inputs[name] = "\n".join(found)
    for name, column in ((MENTIONS, 2), (CONCEPTS, 3)):
        if name in names:
            said = dict.fromkeys(row[column] for row in rows["affirmed"] if row[column])
            if said:
                document.inputs[name] = _BETWEEN.join(said)
