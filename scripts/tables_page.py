"""docs/tables.md: the data dictionary.

Tables are taken from their declarations, columns of views and macros from a prepared DuckDB.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import duckdb
from page_parts import GENERATED, rows_of

from flows.comparing.schema import DIFFS
from flows.generating.schema import GENERATION_SOURCES, GENERATIONS
from flows.quality.schema import (
    QUALITY,
    QUALITY_BRANCHES,
    QUALITY_DRIFT,
    QUALITY_HISTOGRAMS,
)
from flows.schema import MENTION_LINKS, TABLES
from flows.warehouse.connection import prepare
from flows.warehouse.ddl import quoted, sql_type
from flows.warehouse.derived.schema import DERIVATIONS, DERIVED_TABLES
from flows.warehouse.macros import MACROS, Macro
from flows.warehouse.views import GENERATIONS_CURRENT, RELATION_ENTITIES, VIEWS, View
from flows.warehouse.views.quality import QUALITY_VIEWS
from nlp.relations.schema import RELATIONS
from nlp.schema import ANNOTATION_TABLES, DOCUMENTS, MENTIONS
from ontologies.schema import CONCEPT_ANCESTORS, CONCEPT_NAMES, CONCEPTS, NAME_LINKS
from ontologies.table import Table

TABLES_INTRODUCTION = """\
# Tables

For whoever writes SQL on a warehouse: every table, view and column, and what it means.

A warehouse is one DuckDB file. Every table and column below also carries its meaning as a comment
inside the file; `charthouse tables --warehouse W.duckdb` lists tables, views and macros.
[Questions in SQL](sql.md) shows them at work.

- `document_id` is `corpus:native_id`, for example `pubmed:31452104`.
- `concept_id` is a CURIE, for example `MESH:D003920`.
- Offsets count characters (Unicode code points) of `documents.text` exactly as stored, from 0;
  the end is one past the last character. In SQL a span is `span(text, start_char, end_char)`.
- Times are UTC.
- A key names the columns that are unique together. Ledger and dimension tables have it as a
  primary key. The big tables have none in DuckDB; loading through the ledger keeps them unique.
"""

START_HERE = """\
Most questions are answered by `entities`: one flat row per mention, with the concept it is linked
to in the first ontology. A mention without a concept has null in `concept_id`.

Documents that mention a concept or any narrower one:

```sql
SELECT DISTINCT document_id FROM entities_under('Diabetes Mellitus') ORDER BY document_id;
```

Names without a concept, those that leave most mentions without one first:

```sql
FROM unlinked_names ORDER BY mentions - linked_by_context DESC, lookup_text LIMIT 20;
```
"""

MACROS_NOTE = """\
Macros take arguments. One of tables is called as a table (`FROM entities_of('0123abcd')`), one of
values as a function; what has a default can be left out, or given by name
(`entities_of(linkset := 'ls-0123')`). An argument that fits nothing, or more than one thing, is an
error. They are kept in the warehouse and its snapshots, and look for its tables where they are
called: where a warehouse is attached beside other databases, say `USE` first.
"""

ANNOTATION_NOTE = """\
`negated`, `uncertain`, `historical`, `hypothetical` and `experiencer` are null in documents of
kinds that are not assessed (`assertion.kinds`, by default notes alone are); why one is set stands
in `assertion_cues` ([Assertion](assertion.md)).
"""

LINK_NOTE = """\
Names are linked, not mentions: a mention finds its concept by `lookup_text` and `label` in
`name_links`, within one linkset. Only rows with rank 1 and status `linked` are shown by the views;
the other candidates are there to look at. Where the other concepts of a document speak for another
candidate, or for one where the name alone decided nothing, `mention_links` has it, and the views
show that. [Ontologies](ontologies.md#how-a-name-is-linked) tells how.
"""

GENERATION_NOTE = """\
What language models wrote or predicted; [Generation](generation.md) tells how, and what it must not
be used for.
"""

DERIVED_NOTE = """\
Made anew at the end of every run, by `relink`, `forget` and `refresh`, from current annotations and
linksets: what views over concepts, persons and names read.
"""

QUALITY_NOTE = """\
What each run found, and how far it is from the run before it or from a chosen one:
[Quality](quality.md).
"""

LEDGER_NOTE = """\
Where every row comes from, and what need not be done again. [Operations](operations.md) explains
how a run uses these tables.
"""

GROUPS: tuple[tuple[str, str, tuple[Table, ...]], ...] = (
    ("Documents and annotations", ANNOTATION_NOTE, (DOCUMENTS, *ANNOTATION_TABLES)),
    (
        "Links and concepts",
        LINK_NOTE,
        (NAME_LINKS, MENTION_LINKS, CONCEPTS, CONCEPT_NAMES, CONCEPT_ANCESTORS),
    ),
    (
        "Generated text and relations",
        GENERATION_NOTE,
        (GENERATIONS, GENERATION_SOURCES, RELATIONS),
    ),
    ("Derived tables", DERIVED_NOTE, (*DERIVED_TABLES, DERIVATIONS)),
    (
        "Quality and differences",
        QUALITY_NOTE,
        (QUALITY, QUALITY_HISTOGRAMS, QUALITY_BRANCHES, QUALITY_DRIFT, DIFFS),
    ),
)
"""Groups of tables; those named nowhere here are ledger and provenance."""

VIEW_COLUMNS = {
    "section": "name of the innermost section that holds the mention, if any",
    "concept_id": "the concept the mention is linked to; null where it is linked to none",
    "concept_name": "the concept's preferred name",
    "link_score": "how well name and concept match, 0 to 1",
    "link_method": "how the concept was found: as in name_links, or context",
    "linkset_id": "fingerprint of ontology release, linker version and settings",
    "run_id": "the run that annotated the document",
    **{
        f"{end}_{name}": meaning
        for end in ("subject", "object")
        for name, meaning in (
            ("mention_id", f"the mention that is its {end}"),
            ("text", "its words"),
            ("label", "its entity type"),
            ("concept_id", "the concept it is linked to in the first ontology, if any"),
            ("name", "the concept's preferred name; the mention's words where there is none"),
        )
    },
}
"""Columns of views that are not simply a column of ``mentions`` or ``documents``."""


def _of_current(view: View) -> tuple[Table, ...]:
    """The table that a view shows as it stands now."""
    return tuple(t for t in TABLES if view.name == f"current_{t.name}")


_OF_TABLES = {
    RELATION_ENTITIES.name: (RELATIONS,),
    GENERATIONS_CURRENT.name: (GENERATIONS,),
    **dict.fromkeys((view.name for view in QUALITY_VIEWS), (QUALITY,)),
}
"""Further tables whose columns mean the same in a view."""


def view_columns(view: View) -> list[tuple[str, str, str]]:
    """Name, SQL type and meaning of a view's columns, as DuckDB describes them.

    Raises:
        KeyError: a column has no meaning yet; add it to ``VIEW_COLUMNS``.
    """
    tables = _OF_TABLES.get(view.name, _of_current(view))
    return _columns(quoted(view.name), tables, view.columns)


def macro_columns(macro: Macro) -> list[tuple[str, str, str]]:
    """The same of a table macro's columns.

    Raises:
        KeyError: as of :func:`view_columns`.
    """
    call = f"{macro.name}({', '.join(['NULL'] * len(macro.parameters))})"
    return _columns(f"SELECT * FROM {call}", (CONCEPT_NAMES,), macro.columns)


def _columns(
    what: str, tables: Sequence[Table], meanings: dict[str, str]
) -> list[tuple[str, str, str]]:
    all_tables = (CONCEPTS, NAME_LINKS, DOCUMENTS, MENTIONS, *tables)
    known = {c.name: c.meaning for table in all_tables for c in table.columns}
    known |= VIEW_COLUMNS | meanings
    described = _prepared().execute(f"DESCRIBE {what}").fetchall()
    return [(name, kind, known[name]) for name, kind, *_ in described]


@cache
def _prepared() -> duckdb.DuckDBPyConnection:
    """An empty warehouse in memory."""
    connection = duckdb.connect(":memory:")
    prepare(connection)
    return connection


def tables_page() -> str:
    """The data dictionary."""
    grouped = [table.name for _, _, tables in GROUPS for table in tables]
    ledger = tuple(table for table in TABLES if table.name not in grouped)
    groups = (*GROUPS, ("Ledger and provenance", LEDGER_NOTE, ledger))
    lines = [GENERATED, "", TABLES_INTRODUCTION, "## Start here", "", START_HERE]
    for view in VIEWS:
        lines += [f"### {view.name} (view)", "", view.meaning, ""]
        lines += rows_of(
            ("column", "type", "meaning"),
            [(f"`{name}`", f"`{kind}`", meaning) for name, kind, meaning in view_columns(view)],
        )
    lines += ["## Macros", "", MACROS_NOTE]
    for macro in MACROS:
        lines += _macro(macro)
    for title, note, tables in groups:
        lines += [f"## {title}", "", note]
        for table in tables:
            lines += _table(table)
    return "\n".join(lines).rstrip() + "\n"


def _macro(macro: Macro) -> list[str]:
    lines = [f"### {macro.name} (macro)", "", f"`{macro.signature}` {macro.meaning}", ""]
    lines += rows_of(
        ("parameter", "meaning"),
        [(f"`{name}`", meaning) for name, meaning in macro.parameters.items()],
    )
    if not macro.is_table:
        return lines
    return lines + rows_of(
        ("column", "type", "meaning"),
        [(f"`{name}`", f"`{kind}`", meaning) for name, kind, meaning in macro_columns(macro)],
    )


def _table(table: Table) -> list[str]:
    key = ", ".join(f"`{name}`" for name in table.key)
    rows = [
        (f"`{c.name}`", f"`{sql_type(c.dtype)}`", "yes" if c.nullable else "no", c.meaning)
        for c in table.columns
    ]
    head = [f"### {table.name}", "", f"{table.meaning} Key: {key}.", ""]
    return head + rows_of(("column", "type", "nullable", "meaning"), rows)
