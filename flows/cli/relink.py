"""``charthouse relink``: another release or other link settings, without NER."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.cli.access import Wait
from flows.cli.terminal import standard_output

if TYPE_CHECKING:
    from flows.relink import Relinked


def relink(
    warehouse: Annotated[
        Path | None,
        typer.Option(
            "--warehouse",
            "-w",
            help="DuckDB file whose names are linked anew. (default: that of --config)",
        ),
    ] = None,
    ontology: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STORE",
            help="Concept store made by `charthouse ontology build`, or `sample`. Repeat for "
            "more; the first one is shown by the entities view. (default: those the warehouse is "
            "linked to already)",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="TOML file of settings; its [link], ontologies and [warehouse] count here."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Worker processes; 0 = one per CPU core. (default: 0)")
    ] = None,
    wait: Wait = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many names would be linked; write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Link the names of a warehouse to another ontology release. No document is read again.

    Links to earlier releases stay in name_links; the new ones become current, and a table tells
    what changed: names that gained a concept, lost theirs, or moved to another one (renamed, where
    the release says that the new id took the old one's place). Killed, it is given again.

    Example: charthouse relink --warehouse notes.duckdb --ontology mesh2027
    """
    from flows.jobs import warehouse_of
    from flows.relink import names_to_link
    from flows.relink import relink as carry_out
    from flows.settings import load_settings

    flags: dict[str, Any] = {}
    if warehouse is not None:
        flags["warehouse"] = {"path": warehouse}
    if ontology:
        flags["ontologies"] = tuple(ontology)
    if workers is not None:
        flags["execution"] = {"workers": workers}
    if wait is not None:
        flags["warehouse"] = {"wait_seconds": wait}
    settings = load_settings(config, flags)
    warehouse = warehouse_of(settings)
    if dry_run:
        counts = names_to_link(warehouse, settings)
        if as_json:
            print(json.dumps(counts))
            return
        for name, count in counts.items():
            print(f"{name}: {count:,} distinct names to link")
        print("Nothing was written: this was a dry run.")
        return
    outcome = carry_out(warehouse, settings, quiet=as_json)
    if as_json:
        print(json.dumps(asdict(outcome), ensure_ascii=False))
    else:
        _print(standard_output(), outcome)


def _print(console: Console, outcome: Relinked) -> None:
    if outcome.already_linked:
        console.print("These ontologies and settings were the current ones already.")
    table = Table(title="Names (mentions)", title_justify="left", box=None, header_style="dim")
    for heading in ("ontology", "label"):
        table.add_column(heading)
    kinds = ("unchanged", "gained", "lost", "moved", "renamed")
    for heading in kinds:
        table.add_column(heading, justify="right")
    for change in outcome.changes:
        cells = [getattr(change, kind) for kind in kinds]
        table.add_row(
            escape(change.ontology),
            escape(change.label),
            *(f"{names:,} ({mentions:,})" for names, mentions in cells),
        )
    console.print(table)
    if outcome.moves:
        moved = Table(title="Moved", title_justify="left", box=None, header_style="dim")
        for heading in ("from", "to"):
            moved.add_column(heading)
        for heading in ("names", "mentions"):
            moved.add_column(heading, justify="right")
        for move in outcome.moves:
            moved.add_row(
                escape(f"{move.before_id} {move.before_name}"),
                escape(f"{move.after_id} {move.after_name}"),
                f"{move.names:,}",
                f"{move.mentions:,}",
            )
        console.print(moved)
    console.print(f"Current now: {', '.join(outcome.linksets)}")
    for line in outcome.attributions:
        console.print(escape(line))
