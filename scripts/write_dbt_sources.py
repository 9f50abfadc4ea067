"""Write the generated files of the dbt package in docs/dbt: its sources, and their columns' docs.

Both are made from the declarations that the code itself uses, as docs/tables.md is.

    python scripts/write_dbt_sources.py           write them
    python scripts/write_dbt_sources.py --check   write nothing; exit 1 where one is out of date
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from tables_page import view_columns

from flows.schema import TABLES
from flows.warehouse.ddl import quoted, sql_type
from flows.warehouse.views import VIEWS, View
from ontologies.table import Table

PACKAGE = Path(__file__).resolve().parents[1] / "docs" / "dbt"
COMMAND = "python scripts/write_dbt_sources.py"
GENERATED = f"Made by {COMMAND} from the code. Edit the declarations, not this file."
WIDTH = 100


def sources_file() -> str:
    """Every table and view of a warehouse as a source of dbt, with a test of each table's key."""
    source = {
        "name": "charthouse",
        "description": "A charthouse warehouse, attached read-only: tables, and views over them.",
        "database": "{{ var('charthouse_database', 'warehouse') }}",
        "schema": "{{ var('charthouse_schema', 'main') }}",
        "tables": [*map(_table, TABLES), *map(_view, VIEWS)],
    }
    text = yaml.safe_dump(
        {"version": 2, "sources": [source]}, sort_keys=False, allow_unicode=True, width=WIDTH
    )
    return f"# {GENERATED}\n{text}"


def _table(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "description": _plain(table.meaning),
        "config": {"meta": {"kind": "table", "key": list(table.key)}},
        "columns": [
            {
                "name": column.name,
                "description": _plain(column.meaning),
                "data_type": sql_type(column.dtype),
                **({"config": {"meta": {"nullable": True}}} if column.nullable else {}),
            }
            for column in table.columns
        ],
        "data_tests": [
            {
                "unique_key": {
                    "name": f"{table.name}_unique",
                    "arguments": {"columns": [*map(quoted, table.key)]},
                }
            }
        ],
    }


def _view(view: View) -> dict[str, Any]:
    return {
        "name": view.name,
        "description": _plain(view.meaning),
        "config": {"meta": {"kind": "view"}},
        "columns": [
            {"name": name, "description": _plain(meaning), "data_type": kind}
            for name, kind, meaning in view_columns(view)
        ],
    }


def columns_file() -> str:
    """A docs block for every column of a table, for descriptions of models to point to."""
    return f"<!-- {GENERATED} -->\n\n" + "\n".join(_blocks())


def _blocks() -> Iterator[str]:
    for table in TABLES:
        for column in table.columns:
            name = f"{table.name}__{column.name}"
            yield f"{{% docs {name} %}}\n{_plain(column.meaning)}\n{{% enddocs %}}\n"


def _plain(meaning: str) -> str:
    """A meaning that dbt's templates leave as it is.

    Raises:
        ValueError: it holds what a template would take for code.
    """
    if any(mark in meaning for mark in ("{{", "{%", "{#")):
        raise ValueError(f"dbt would take a part of this for code: {meaning}")
    return meaning


def files() -> dict[Path, str]:
    """Path and text of every generated file."""
    folder = PACKAGE / "models" / "sources"
    return {
        folder / "sources.yml": sources_file(),
        folder / "columns.md": columns_file(),
    }


def stale() -> list[Path]:
    """Files on disk that are not what the code would write."""
    return [
        path
        for path, text in files().items()
        if not path.is_file() or path.read_text("utf-8") != text
    ]


def main() -> int:
    """Write the files, or say which are out of date."""
    parser = argparse.ArgumentParser(description="Write the generated files of docs/dbt.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 on difference")
    if parser.parse_args().check:
        out_of_date = stale()
        for path in out_of_date:
            print(
                f"{path.relative_to(PACKAGE.parents[1])} is out of date; run: {COMMAND}",
                file=sys.stderr,
            )
        return 1 if out_of_date else 0
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
