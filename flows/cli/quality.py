"""``charthouse quality``: what a run found, and how far it is from another."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.access import Wait
from flows.cli.inspect import Format, Output, Warehouse, print_rows
from flows.cli.terminal import standard_output

if TYPE_CHECKING:
    from flows.quality.drift import Drift
    from flows.quality.look import Look

_COMPARED = (
    "against",
    "corpus",
    "label",
    "measure",
    "before",
    "after",
    "value",
    "warn",
    "fail",
    "status",
)


class Scope(StrEnum):
    """Which documents are looked at."""

    run = "run"
    warehouse = "warehouse"


def quality(
    warehouse: Warehouse,
    run: Annotated[
        str | None,
        typer.Option(
            metavar="RUN_ID", help="The run, or the beginning of its id. (default: the latest)"
        ),
    ] = None,
    against: Annotated[
        str,
        typer.Option(
            metavar="previous|baseline|RUN_ID",
            help="What it is compared with: the run before it that annotated documents of the "
            "corpus, quality.baseline of --config, or any run.",
        ),
    ] = "previous",
    corpus: Annotated[
        list[str] | None,
        typer.Option(help="Only this corpus, * for all together. Repeat for more."),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(help="Only this label, * for all together. Repeat for more."),
    ] = None,
    crossed: Annotated[
        bool, typer.Option("--crossed", help="Only comparisons that crossed a threshold.")
    ] = False,
    scope: Annotated[
        Scope,
        typer.Option(help="The run's own documents, or all that were current after it."),
    ] = Scope.run,
    format: Format = Output.table,
    wait: Wait = None,
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file of settings; its [quality] and [warehouse] count here."),
    ] = None,
) -> None:
    """Show what a run found, and how far that is from another run, with thresholds marked.

    Any two runs can be compared, from what each stored. Thresholds are those that the run ended
    with; with --config, and against a run that you name, those of settings. Status: ok, warning,
    failed, or too_few (mentions or documents to say). The table is rounded, with shares in percent
    and their changes in percentage points (pp); unsure: a name has candidates, none was taken;
    unknown: it has none. csv prints the comparisons alone, json both, with all columns and
    digits. Nothing is changed.

    Example: charthouse quality -w notes.duckdb

    Example: charthouse quality -w notes.duckdb --against 20260301 --label Disease
    """
    from flows.quality.look import look
    from flows.settings import load_settings
    from flows.warehouse.access import access_of
    from flows.warehouse.connection import read_warehouse

    flags = {"warehouse": {"wait_seconds": wait}} if wait is not None else {}
    settings = load_settings(config, flags)
    with read_warehouse(warehouse, access_of(settings.warehouse)) as connection:
        seen = look(
            connection,
            settings.quality,
            run=run,
            against=against,
            scope=scope.value,
            as_told=config is None,
        )
    found = [
        row
        for (of, its_label), row in seen.measured.rows.items()
        if _wanted(corpus, of) and _wanted(label, its_label)
    ]
    drifts = [
        drift
        for drift in seen.drifts
        if _wanted(corpus, drift.found.corpus)
        and _wanted(label, drift.found.label)
        and (not crossed or drift.status in {"warning", "failed"})
    ]
    _print(seen, found, drifts, format, named=bool(corpus))


def _wanted(named: list[str] | None, name: str) -> bool:
    return not named or name in named


def _print(
    seen: Look, found: list[Any], drifts: list[Drift], format: Output, *, named: bool
) -> None:
    if format is Output.json:
        compared = [
            {"against": d.against, "against_run_id": d.against_run_id}
            | {k: v for k, v in asdict(d.found).items() if k not in {"counted", "interval"}}
            | {"warn": d.thresholds.warn, "fail": d.thresholds.fail, "status": d.status}
            for d in drifts
        ]
        whole = {"run_id": seen.run_id, "found": found, "compared": compared}
        print(json.dumps(whole, ensure_ascii=False, default=str))
        return
    if format is Output.csv:
        print_rows(list(_COMPARED), [_cells(drift) for drift in drifts], format)
        return

    from flows.cli.quality_tables import print_compared, print_found, without_twins

    if not named:
        found, drifts = without_twins(found, drifts)
    console = standard_output()
    print(f"Run {seen.run_id}")
    print_found(console, found)
    others = sorted({drift.against_run_id for drift in drifts} - {seen.run_id})
    if others:
        print(f"\nAgainst {', '.join(others)}")
    elif drifts:
        print()
    if drifts:
        print_compared(console, drifts)
    elif not seen.drifts:
        print("\nThere is no earlier run to compare with.")
    else:
        print("\nNothing to show of the comparison.")


def _cells(drift: Drift) -> tuple[Any, ...]:
    its = drift.found
    return (
        *(drift.against, its.corpus, its.label, its.measure),
        *(its.before, its.after, its.value, *drift.thresholds, drift.status),
    )
