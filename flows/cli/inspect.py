"""``charthouse status``, ``rejects``, ``tables`` and ``sql``: looking into a warehouse."""

from __future__ import annotations

import csv
import json
import sys
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import duckdb
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.cli.access import Config, Wait, access_for
from flows.cli.terminal import standard_output
from flows.errors import CharthouseError

Warehouse = Annotated[Path, typer.Option("--warehouse", "-w", help="DuckDB file to read.")]


_READ_ONLY = "Invalid Input Error: Cannot execute statement of type"
"""How DuckDB refuses a statement that writes."""

_WRAPPED_FROM = 24
"""Characters: a column that is wider may be wrapped. Ids of runs have 22."""


class Output(StrEnum):
    """How a result is printed."""

    table = "table"
    csv = "csv"
    json = "json"


Format = Annotated[Output, typer.Option("--format", "-f", help="table, csv or json.")]


def sql(
    warehouse: Warehouse,
    query: Annotated[str, typer.Argument(help="One SQL statement.")],
    format: Format = Output.table,
    wait: Wait = None,
    config: Config = None,
) -> None:
    """Run a query on a warehouse. The file is opened for reading only, and no other file at all.

    Example: charthouse sql -w notes.duckdb "FROM entities LIMIT 5"
    """
    from flows.warehouse.connection import read_warehouse
    from flows.warehouse.derived.hints import REFRESH, hint, missing_here
    from flows.warehouse.macros import REFUSALS
    from flows.warehouse.session import confine

    with read_warehouse(warehouse, access_for(config, wait)) as connection:
        confine(connection)
        try:
            result = connection.execute(query)
            names = [column[0] for column in result.description or []]
            print_rows(names, result.fetchall(), format)
            if line := hint(connection, query):
                print(f"charthouse: {line}", file=sys.stderr)
        except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as error:
            fix = REFRESH if missing_here(connection, query) else ""
            raise CharthouseError(f"query: {_first_lines(str(error))}", fix) from None
        except duckdb.PermissionException:
            raise CharthouseError(
                "query: it asks for a file or an extension",
                "A query sees this warehouse only; for other files use DuckDB on a snapshot",
            ) from None
        except duckdb.Error as error:
            for refusal in REFUSALS:
                if str(error).endswith(refusal):
                    raise CharthouseError(f"query: {refusal}") from None
            if str(error).startswith(_READ_ONLY):
                raise CharthouseError(
                    "query: it would change the warehouse", "charthouse sql only reads"
                ) from None
            # Errors about values quote them, and a value may be a document's text.
            kind = type(error).__name__
            raise CharthouseError(f"query failed while it ran ({kind})") from None


def tables(
    warehouse: Warehouse, format: Format = Output.table, wait: Wait = None, config: Config = None
) -> None:
    """List tables with their row counts, views and macros, each with its meaning.

    Rows of views are not counted: at ten million mentions that would take minutes.
    """
    from flows.warehouse.connection import read_warehouse
    from flows.warehouse.ddl import quoted
    from flows.warehouse.macros import MACROS

    with read_warehouse(warehouse, access_for(config, wait)) as connection:
        known = connection.execute(
            "SELECT table_name, 'table', comment FROM duckdb_tables() "
            "WHERE table_name != 'schema_version' UNION ALL "
            "SELECT view_name, 'view', comment FROM duckdb_views() WHERE NOT internal "
            "ORDER BY 2 DESC, 1"
        ).fetchall()
        rows: list[tuple[Any, ...]] = []
        for name, kind, meaning in known:
            count = None
            if kind == "table":
                ((count,),) = connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchall()
            rows.append((name, kind, count, meaning))
        made = connection.execute(
            "SELECT function_name, comment FROM duckdb_functions() WHERE NOT internal "
            "AND database_name = current_database() ORDER BY 1"
        ).fetchall()
        calls = {macro.name: macro.signature for macro in MACROS}
        rows += [(calls.get(name, name), "macro", None, meaning) for name, meaning in made]
    print_rows(["name", "kind", "rows", "meaning"], rows, format)


def rejects(
    warehouse: Warehouse,
    by_reason: Annotated[
        bool, typer.Option("--by-reason", help="Count by reason instead of listing.")
    ] = False,
    format: Format = Output.table,
    wait: Wait = None,
    config: Config = None,
) -> None:
    """List records that could not be processed, and why. Text is never shown."""
    from flows.warehouse.connection import read_warehouse

    query = "SELECT path, ordinal, stage, reason, document_id, run_id FROM rejects ORDER BY ALL"
    if by_reason:
        query = (
            "SELECT reason, stage, count(*) AS records FROM rejects GROUP BY ALL ORDER BY 3 DESC, 1"
        )
    with read_warehouse(warehouse, access_for(config, wait)) as connection:
        result = connection.execute(query)
        names = [column[0] for column in result.description or []]
        print_rows(names, result.fetchall(), format)


def status(warehouse: Warehouse, format: Format = Output.table, config: Config = None) -> None:
    """Show the run at work, else the latest runs."""
    from flows.warehouse.connection import WarehouseBusyError, read_warehouse
    from flows.warehouse.holder import running
    from flows.warehouse.runs import GENERATES

    try:
        with read_warehouse(warehouse, access_for(config, 0)) as connection:
            # A terminal of 120 columns has no room for more than this.
            times = "strftime(started_at, '%Y-%m-%d %H:%M') AS started_at"
            if format is not Output.table:
                times = "started_at, finished_at"
            result = connection.execute(
                f"SELECT run_id, CASE WHEN {GENERATES} THEN 'generate' ELSE 'run' END AS job, "
                "status, read, new, replaced, skipped, deleted, rejected, "
                "CASE WHEN status = 'done' THEN round(seconds.total, 1) END AS seconds, "
                f"{times} FROM runs "
                "ORDER BY run_id DESC LIMIT 10"
            )
            names = [column[0] for column in result.description or []]
            print_rows(names, result.fetchall(), format)
    except WarehouseBusyError as error:
        live = running(warehouse, error.pid)
        if live is None:
            raise
        _print_live(live, format)


def _print_live(live: dict[str, Any], format: Output) -> None:
    live["started_at"] = datetime.fromtimestamp(round(live["started_at"]), UTC).replace(tzinfo=None)
    # A clock that was put back has not seen that moment yet.
    live["seconds_ago"] = max(0.0, round(time.time() - live.pop("updated_at"), 1))
    if live["total"] and live["rate"]:
        live["seconds_left"] = round((live["total"] - live["done"]) / live["rate"])
    print_rows(list(live), [tuple(live.values())], format)


def _first_lines(message: str) -> str:
    return " ".join(line.strip() for line in message.splitlines()[:3] if line.strip())


def print_rows(names: list[str], rows: list[tuple[Any, ...]], format: Output) -> None:
    """Print a result as a table for people, or as CSV or JSON for programs."""
    if format is Output.json:
        records = [dict(zip(names, row, strict=True)) for row in rows]
        print(json.dumps(records, ensure_ascii=False, default=_plain))
    elif format is Output.csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(names)
        writer.writerows(rows)
    else:
        _print_table(standard_output(), names, rows)


def _print_table(console: Console, names: list[str], rows: list[tuple[Any, ...]]) -> None:
    """Rows below one another; where they are too wide for that, each as lines of name and value.

    Only long values are wrapped: an id, a number or a moment that is cut up cannot be read.
    """
    cells = [["" if value is None else str(value) for value in row] for row in rows]
    columns = [[name, *(row[index] for row in cells)] for index, name in enumerate(names)]
    widths = [max(len(line) for cell in column for line in cell.split("\n")) for column in columns]
    least = sum(2 + min(width, _WRAPPED_FROM) for width in widths)
    if rows and least > console.width:
        for number, row in enumerate(cells):
            table = Table(box=None, show_header=False)
            table.add_column(style="bold", no_wrap=True)
            table.add_column(overflow="fold")
            for name, cell in zip(names, row, strict=True):
                table.add_row(name, escape(cell))
            if number:
                console.print()
            console.print(table)
        return
    table = Table(box=None, header_style="bold")
    for index, name in enumerate(names):
        numeric = rows and all(isinstance(row[index], int | float | None) for row in rows)
        short = bool(rows) and widths[index] <= _WRAPPED_FROM
        justify: Literal["left", "right"] = "right" if numeric else "left"
        table.add_column(name, justify=justify, overflow="fold", no_wrap=short)
    for row in cells:
        table.add_row(*map(escape, row))
    console.print(table)


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return str(value)
