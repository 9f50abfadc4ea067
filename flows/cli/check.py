"""``charthouse check``: whether the tables of a warehouse are sound."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from flows.cli.access import Config, Wait, access_for
from flows.cli.inspect import Format, Output, Warehouse, print_rows

EXIT_UNSOUND = 1


def check(
    warehouse: Warehouse,
    show_ids: Annotated[
        bool,
        typer.Option(
            "--show-ids",
            help="Name up to twenty rows of each breach by document, run, shard or name; such ids "
            "may identify people.",
        ),
    ] = False,
    format: Format = Output.table,
    wait: Wait = None,
    config: Config = None,
) -> None:
    """Check that a warehouse is sound: keys, ledger, offsets, links, and what runs counted.

    Each check prints how many rows breach it; 0 is as it should be, no number means that it was
    left out because a run is open, or because another release made the table. Nothing is changed.
    Exit code 1 if anything is breached.

    Example: charthouse check -w notes.duckdb
    """
    from flows.warehouse.check import check_warehouse
    from flows.warehouse.connection import read_warehouse

    with read_warehouse(warehouse, access_for(config, wait)) as connection:
        findings = check_warehouse(connection, show_ids=show_ids)
    names = ["check", "breaches", "meaning", *(["ids"] if show_ids else [])]
    rows = [
        (f.name, f.breaches, f.meaning, *([" ".join(f.subjects)] if show_ids else []))
        for f in findings
    ]
    print_rows(names, rows, format)
    breached = sum(bool(finding.breaches) for finding in findings)
    if breached:
        print(f"charthouse: {breached} of {len(findings)} checks are breached", file=sys.stderr)
        raise typer.Exit(EXIT_UNSOUND)
    if format is Output.table:
        left_out = sum(finding.breaches is None for finding in findings)
        why = "a run is open, or another release made their table"
        remark = f", {left_out} left out: {why}" if left_out else ""
        print(f"Sound: none of {len(findings) - left_out} checks is breached{remark}")
