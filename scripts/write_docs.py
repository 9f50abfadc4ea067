"""Write the generated pages of docs/: the data dictionary, the settings, the names of sections.

All are made from the declarations that the code itself uses: tables from ``flows/schema.py``,
views and macros from a prepared DuckDB, settings from the pydantic models, names of sections from
the file of rules in the box.

    python scripts/write_docs.py           write them
    python scripts/write_docs.py --check   write nothing; exit 1 where a page is out of date

The page of commands is made by ``cli_page.py`` and written with them.
"""

from __future__ import annotations

import argparse
import sys
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import duckdb
from annotated_types import Ge, Le, MinLen
from cli_page import cli_page
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from flows.comparing.schema import DIFFS
from flows.generating.schema import GENERATION_SOURCES, GENERATIONS
from flows.quality.schema import (
    QUALITY,
    QUALITY_BRANCHES,
    QUALITY_DRIFT,
    QUALITY_HISTOGRAMS,
)
from flows.schema import MENTION_LINKS, TABLES
from flows.settings import Settings
from flows.warehouse.connection import prepare
from flows.warehouse.ddl import quoted, sql_type
from flows.warehouse.derived.schema import DERIVATIONS, DERIVED_TABLES
from flows.warehouse.macros import MACROS, Macro
from flows.warehouse.views import GENERATIONS_CURRENT, RELATION_ENTITIES, VIEWS, View
from flows.warehouse.views.quality import QUALITY_VIEWS
from nlp.preprocess.heading_file import HeadingEntry, read_heading_file
from nlp.preprocess.heading_rules import BOXED
from nlp.relations.schema import RELATIONS
from nlp.schema import ANNOTATION_TABLES, DOCUMENTS, MENTIONS
from ontologies.labels import LABEL_TYPES
from ontologies.schema import CONCEPT_ANCESTORS, CONCEPT_NAMES, CONCEPTS, NAME_LINKS
from ontologies.table import Table

DOCS = Path(__file__).resolve().parents[1] / "docs"
COMMAND = "python scripts/write_docs.py"
GENERATED = f"<!-- Made by {COMMAND} from the code. Edit the declarations, not this page. -->"

# ---------------------------------------------------------------- tables

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
        lines += _rows(
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
    lines += _rows(
        ("parameter", "meaning"),
        [(f"`{name}`", meaning) for name, meaning in macro.parameters.items()],
    )
    if not macro.is_table:
        return lines
    return lines + _rows(
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
    return head + _rows(("column", "type", "nullable", "meaning"), rows)


def _rows(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    cells = [heading, ["---"] * len(heading), *rows]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]
    return [*lines, ""]


# ---------------------------------------------------------------- configuration

EXAMPLE_TOML = """\
# charthouse.toml
# Keys without a group stand first, as TOML wants it.
sources = ["notes", "archive/*.csv.gz"]
ontologies = ["stores/mesh2026", "sample"]

[warehouse]
path = "discharge.duckdb"

[source]
corpus = "discharge"
columns = { id = "note_key", text = "note_body", date = "written_on" }

[preprocess]
pipeline = "rules"

[ner]
models = ["bundled", "models/clinical"]
device = "cpu"

[link]
threshold = 0.75

[execution]
workers = 4
shard_characters = 500000
"""

LABEL_MAP_TOML = """\
[ner.label_map]
CHEM = "Chemical"    # rename
DISO = "Disease"     # rename
ACTIVITY = ""        # drop: these mentions are not written
"""

LINK_LABELS_TOML = """\
[link.labels]
Disease = ["C", "F03"]                  # MeSH tree branches
Chemical = ["D", "SCR1"]                # SCR1: MeSH supplementary chemicals
Device = ["E07", "T074"]                # a label of your own
"""

CONFIGURATION_INTRODUCTION = f"""\
# Configuration

For whoever sets charthouse up: every setting, where it may stand, and its default.

Settings come from three places. A later one wins over an earlier one:

1. a TOML file, given with `--config charthouse.toml`;
2. environment variables;
3. command line flags.

What is set nowhere has its default. A file that names `sources` and `warehouse.path` too is a [job
file](scheduling.md#job-files): `charthouse run --config FILE` needs nothing else then. There are no
secrets among the settings.

`charthouse run ... --dry-run` checks the settings, reads the sources and says what a run would do.
A setting that does not exist, or has a bad value, is an error before anything is read. One
exception: an environment variable that names no group (`CHARTHOUSE_WORKRES`) is passed over.
`charthouse demo` takes no file; environment variables hold for it too.

## An example

```toml
{EXAMPLE_TOML}```

Relative paths in the file start at the file's folder. What may be a name as well (`ner.models`,
`assertion.method`, `privacy.models`, `ontologies`, `dictionary.stores`, `link.encoder`,
`link.writer`, `preprocess.pipeline`, `generation.model`, `generation.prompt`, `relations.model`,
`relations.statements`, `evaluate.ontology`) is a path where the file's folder has such a file or
folder; `bundled`, `sample`, `rules`, `blank`, `pysbd`, `minilm` and `off` are always names.
Relative paths in environment variables and flags start at the folder the command is run in.

Put `ontologies` and `ner.models` into the file once a warehouse is in use. A run without them
takes the defaults: with another model every document is annotated again, and with another ontology
`entities` shows that ontology.

## Environment variables

The name is `CHARTHOUSE_`, the group, two underscores, the field; `sources` and `ontologies` have no
group. Lists
and tables are written as JSON:

```sh
export CHARTHOUSE_EXECUTION__WORKERS=8
export CHARTHOUSE_ONTOLOGIES='["stores/mesh2026"]'
export CHARTHOUSE_NER__LABEL_MAP='{{"CHEM": "Chemical"}}'
```

A list is taken whole from the place that wins. Tables (`source.columns`, `ner.label_map`,
`link.labels`) are joined key by key, and the place that wins decides for keys given twice.

These variables are read too, and are no settings:

| variable | meaning |
| --- | --- |
| `CHARTHOUSE_PRIVACY_KEY` | secret of [de-identification](privacy.md#the-secret) |
| `CHARTHOUSE_DEBUG` | show all of an unexpected error, and with it perhaps text of documents |
| `CHARTHOUSE_CACHE` | folder for the compiled sample ontology; else in the user's cache folder |
| `PREFECT_API_URL` | a Prefect server to report to; see [Operations](operations.md#prefect) |
| `UMLS_API_KEY` | key of a UTS profile, for `charthouse ontology fetch umls` |
| `CHARTHOUSE_MESH_URL`, `CHARTHOUSE_UTS_URL` | [mirrors](ontologies.md#downloading) of NLM |
| `HF_HUB_OFFLINE` | `1` keeps `hub:` models to what is in the local Hugging Face cache |

## Labels of models: `ner.label_map`

Models name their labels differently. The map renames them, for all models of the run. A label that
is not in the map is kept. An empty value drops the label.

```toml
{LABEL_MAP_TOML}```

The map is part of the annotation_id: changing it annotates every document again.

## Names as mentions: `[dictionary]`

[The dictionary](dictionary.md) says what its settings do. All but the order of `labels` and `types`
is part of the annotation_id; without `dictionary.stores` none of it is.

## Which concepts a label allows: `link.labels`

Each label has prefixes of semantic type codes: MeSH tree branches (`C`, `F03`), classes of MeSH
supplementary records (`SCR3`), UMLS types (`T047`). Labels are compared without case. A label that
is missing, or has no prefixes, allows every concept. Concepts whose types do not tell are never
ruled out, but count for less.

```toml
{LINK_LABELS_TOML}```

This table replaces the built-in one in `ontologies/labels.py`: repeat the labels you want to keep.
The built-in one has {", ".join(f"`{name}`" for name in LABEL_TYPES)}.
The table is part of the linkset_id: changing it links the names again and leaves annotations alone.

## All settings
"""

FLAGS = {
    "warehouse.path": "--warehouse",
    "source.format": "--format",
    "source.corpus": "--corpus",
    "source.columns": "--column",
    "source.limit": "--limit",
    "source.retry_rejects": "--retry-rejects",
    "source.prune": "--prune",
    "source.prune_limit": "--prune-limit",
    "keep_previous": "--keep-previous",
    "privacy.mode": "--privacy",
    "ner.models": "--model",
    "ner.device": "--device",
    "dictionary.stores": "--dictionary",
    "ontologies": "--ontology",
    "execution.workers": "--workers",
    "execution.runner": "--runner",
    "execution.address": "--address",
    "execution.staging": "--staging",
    "warehouse.wait_seconds": "--wait",
}
"""TOML key to the flag of ``charthouse run`` that sets it."""

LONG_DEFAULTS = {"link.labels": "the built-in table"}


@dataclass(frozen=True)
class Setting:
    """One field of the settings as a reader of the docs wants to see it."""

    key: str
    kind: str
    default: str
    description: str

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return "CHARTHOUSE_" + self.key.upper().replace(".", "__")


def groups() -> Iterator[tuple[str, str, list[Setting]]]:
    """Group name ("" = none), the group's meaning, and its settings."""
    loose = []
    for name, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            settings = [_setting(f"{name}.{n}", f) for n, f in model.model_fields.items()]
            yield name, model.__doc__ or "", settings
        else:
            loose.append(_setting(name, field))
    yield "", "Written above the first group.", loose


def _setting(key: str, field: FieldInfo) -> Setting:
    if not field.description:
        raise ValueError(f"setting {key} has no description")
    default = LONG_DEFAULTS.get(key) or _value(field.get_default(call_default_factory=True))
    kind = type_name(field.annotation) + _bounds(field.metadata)
    return Setting(key, kind, default, field.description)


def type_name(annotation: Any) -> str:
    """A type in words.

    Raises:
        TypeError: the type has no words yet.
    """
    plain = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}
    if annotation in plain:
        return plain[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin is Annotated:
        return type_name(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    if origin is tuple:
        return f"list of {type_name(arguments[0])}"
    if origin is dict:
        return f"table of {type_name(arguments[1])}"
    if origin in (Union, types.UnionType):
        (kind,) = (argument for argument in arguments if argument is not type(None))
        return type_name(kind)
    raise TypeError(f"no words for {annotation}")


def _bounds(metadata: Sequence[Any]) -> str:
    words = []
    for bound in metadata:
        if isinstance(bound, Ge):
            words.append(f"at least {bound.ge}")
        elif isinstance(bound, Le):
            words.append(f"at most {bound.le}")
        elif isinstance(bound, MinLen):
            words.append("not empty")
    return f", {', '.join(words)}" if words else ""


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return "`[" + ", ".join(f'"{item}"' for item in value) + "]`"
    if isinstance(value, dict):
        return "empty" if not value else f"`{value}`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def configuration_page() -> str:
    """The introduction and the list of settings."""
    lines = [GENERATED, "", CONFIGURATION_INTRODUCTION]
    for name, meaning, settings in groups():
        lines += [f"### [{name}]" if name else "### No group", "", meaning, ""]
        lines += _rows(
            ("TOML key", "environment variable", "flag", "type", "default", "meaning"),
            [
                (
                    f"`{s.key}`",
                    f"`{s.variable}`",
                    f"`{FLAGS[s.key]}`" if s.key in FLAGS else "",
                    s.kind,
                    s.default,
                    s.description,
                )
                for s in settings
            ],
        )
    return "\n".join(lines).rstrip() + "\n"


# ---------------------------------------------------------------- names of sections

SECTION_NAMES_INTRODUCTION = """\
# Names of sections

For analysts who filter by section: the names that headings in notes, abstracts and articles get.

What `sections.name` may say of headings in the box, and `loinc_code` beside it.
[Sections](sections.md) tells what counts as a heading, and how to add your own. Only the first
headings of each are shown; `[a|b]` stands for a or b, `[a|]` for a or nothing.
"""

SECTION_KINDS = {
    "note": "Notes",
    "abstract": "Abstracts",
    "article": "Articles",
}

SHOWN_HEADINGS = 4


def section_names_page() -> str:
    """The names that the rules in the box give to sections, by kind of document."""
    entries = read_heading_file(BOXED).section
    lines = [GENERATED, "", SECTION_NAMES_INTRODUCTION]
    for kind, title in SECTION_KINDS.items():
        lines += [f"## {title}", ""]
        lines += _section_names([e for e in entries if kind in e.kinds and not e.within])
    lines += ["## Parts of sections of notes", ""]
    lines += ["The name is that of the section and this one, with a full stop between.", ""]
    lines += _section_names([entry for entry in entries if entry.within and entry.joined])
    return "\n".join(lines).rstrip() + "\n"


def _section_names(entries: Sequence[HeadingEntry]) -> list[str]:
    by_name: dict[str, list[HeadingEntry]] = {}
    for entry in entries:
        by_name.setdefault(entry.name, []).append(entry)
    rows = []
    for name, of_name in by_name.items():
        codes = dict.fromkeys(code for entry in of_name for code in entry.loinc.values())
        headings = [heading for entry in of_name for heading in entry.headings]
        sections = dict.fromkeys(section for entry in of_name for section in entry.within)
        shown = ", ".join(headings[:SHOWN_HEADINGS]) + (" …" if headings[SHOWN_HEADINGS:] else "")
        rows.append(
            (f"`{name}`", *([", ".join(sections)] if sections else []), ", ".join(codes), shown)
        )
    if entries[0].within:
        return _rows(("part", "of", "LOINC, of an examination", "headings"), rows)
    return _rows(("name", "LOINC", "headings"), rows)


# ---------------------------------------------------------------- command


def pages() -> dict[Path, str]:
    """Path and text of every generated page."""
    return {
        DOCS / "tables.md": tables_page(),
        DOCS / "configuration.md": configuration_page(),
        DOCS / "section-names.md": section_names_page(),
        DOCS / "cli.md": f"{GENERATED}\n\n{cli_page()}",
    }


def stale() -> list[Path]:
    """Pages on disk that are not what the code would write."""
    return [
        path
        for path, text in pages().items()
        if not path.is_file() or path.read_text("utf-8") != text
    ]


def main() -> int:
    """Write the pages, or say which are out of date."""
    parser = argparse.ArgumentParser(description="Write the generated pages of docs/.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 on difference")
    if parser.parse_args().check:
        out_of_date = stale()
        for path in out_of_date:
            print(f"docs/{path.name} is out of date; run: {COMMAND}", file=sys.stderr)
        return 1 if out_of_date else 0
    DOCS.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
