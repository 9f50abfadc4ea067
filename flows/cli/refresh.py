"""``charthouse refresh``: a warehouse brought to this release, its derived tables made anew."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from flows.cli.access import Wait
from flows.cli.terminal import standard_output

if TYPE_CHECKING:
    from flows.refresh import Refreshed, State


def refresh(
    warehouse: Annotated[
        Path | None,
        typer.Option(
            "--warehouse", "-w", help="DuckDB file to refresh. (default: that of --config)"
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="TOML file of settings; its [derived], [warehouse] and execution.memory_megabytes "
            "count here."
        ),
    ] = None,
    wait: Wait = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what the warehouse lacks; write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Bring a warehouse to this release, and make its derived tables anew.

    Views over concepts, persons and names read tables that a run derives at its end
    (concept_totals, branch_totals, concept_pairs ...). This makes them for a warehouse of an older
    release, for one whose runs leave them out (derived.enabled = false), and after other settings
    of [derived]. Schema and views become those of this release. No document is annotated or linked.
    Killed, it leaves the tables as they were.

    Example: charthouse refresh --warehouse notes.duckdb
    """
    from flows.jobs import warehouse_of
    from flows.refresh import look, refresh_warehouse
    from flows.settings import load_settings

    flags: dict[str, Any] = {"warehouse": {}}
    if warehouse is not None:
        flags["warehouse"]["path"] = warehouse
    if wait is not None:
        flags["warehouse"]["wait_seconds"] = wait
    settings = load_settings(config, flags)
    warehouse = warehouse_of(settings)
    if dry_run:
        state = look(warehouse, settings)
        if as_json:
            print(json.dumps(asdict(state)))
        else:
            print(_told(state))
            print("Nothing was written: this was a dry run.")
        return
    outcome = refresh_warehouse(warehouse, settings, quiet=as_json)
    if as_json:
        print(json.dumps(asdict(outcome)))
    else:
        _print(standard_output(), outcome)


def _told(state: State) -> str:
    if not state.made_before:
        derived = "The derived tables were never made, or another release made them."
    elif state.is_current:
        derived = "The derived tables are those of what the warehouse holds."
    else:
        derived = "The derived tables are of an earlier state, or made with other settings."
    return f"Schema version {state.schema_version}. {derived}"


def _print(console: Console, outcome: Refreshed) -> None:
    from flows.warehouse.derived.schema import DERIVED_TABLES

    console.print(_told(outcome.before))
    table = Table(
        title=f"Made of {outcome.documents:,} documents and {outcome.mentions:,} mentions in "
        f"{outcome.seconds:.1f} s",
        title_justify="left",
        box=None,
        header_style="dim",
    )
    table.add_column("table")
    table.add_column("rows", justify="right")
    table.add_column("meaning")
    for declared in DERIVED_TABLES:
        table.add_row(
            declared.name, f"{outcome.rows[declared.name]:,}", declared.meaning.partition(". ")[0]
        )
    console.print(table)
    if outcome.schema_version != outcome.before.schema_version:
        console.print(
            f"The schema is of version {outcome.schema_version} now "
            f"(it was {outcome.before.schema_version})."
        )
