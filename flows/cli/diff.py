"""``charthouse diff``: what one annotation set found and another did not."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.cli.access import Config, Wait, access_for
from flows.cli.inspect import Format, Output, Warehouse
from flows.cli.terminal import standard_output

if TYPE_CHECKING:
    from flows.diff import Diff, SameSet

Run = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Start of a run_id or annotation_id; or `latest`, `previous`: the last run, the one "
        "before.",
    ),
]


def diff(
    before: Run,
    after: Run,
    warehouse: Warehouse,
    names: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Also list the N most frequent names lost and gained. Names are text of "
            "documents.",
        ),
    ] = 0,
    store: Annotated[
        bool,
        typer.Option(
            "--store",
            help="Also add the numbers, and names if asked for, to the table `diffs`. The "
            "warehouse is then opened for writing.",
        ),
    ] = False,
    format: Format = Output.table,
    wait: Wait = None,
    config: Config = None,
) -> None:
    """Compare what two runs found: mentions gained, lost, relabelled or cut otherwise; concepts.

    Both annotation sets must be in the warehouse: a run with --keep-previous leaves the former set
    beside the new one. Only documents count that both annotated, from the same text. With --store
    each call adds its rows to `diffs`; the view `diffs_latest` has the last ones of each two sets.

    Example: charthouse diff previous latest --warehouse notes.duckdb --store
    """
    from flows.comparing.rows import rows_of
    from flows.comparing.store import store_diff
    from flows.diff import SameSet
    from flows.diff import diff as compare

    access = access_for(config, wait)
    outcome = compare(warehouse, before, after, names=names, access=access)
    diff_id = store_diff(warehouse, outcome, access) if store else None
    if format is Output.json:
        stored = {"diff_id": diff_id} if diff_id else {}
        print(json.dumps(_as_dict(outcome) | stored, ensure_ascii=False))
    elif format is Output.csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(["part", "item", "measure", "value"])
        writer.writerows(rows_of(outcome))
    elif isinstance(outcome, SameSet):
        _print_same(standard_output(), outcome)
    else:
        _print_diff(standard_output(), outcome)
    if diff_id:
        print(f"stored in diffs as {diff_id}", file=sys.stderr)


def _as_dict(outcome: Diff | SameSet) -> dict[str, Any]:
    from flows.diff import SameSet

    described = asdict(outcome)
    if isinstance(outcome, SameSet):
        return {"same_set": True} | described
    for row, label in zip(described["labels"], outcome.labels, strict=True):
        row["shares"] = label.shares
    return {"same_set": False} | described


def _print_same(console: Console, same: SameSet) -> None:
    side = same.side
    console.print(
        f"Both are annotation set {escape(side.name)}: models and settings are the same, so every "
        "document has one set of mentions, and there is nothing to compare. What differs between "
        "runs of one set is documents.",
        highlight=False,
    )
    if not same.runs:
        return
    counts = [name for name in asdict(same.runs[0]) if name != "run_id"]
    rows = [[name, *(_number(getattr(run, name)) for run in same.runs)] for name in counts]
    console.print(_table("Runs", ["", *(run.run_id for run in same.runs)], rows))
    console.print("documents: those in the warehouse whose annotations are this run's work.")


def _print_diff(console: Console, outcome: Diff) -> None:
    from flows.comparing.mentions import all_labels

    for word, side in (("before", outcome.before), ("after", outcome.after)):
        run = f", run {side.run_id}" if side.run_id else ""
        console.print(f"{word:<7} {escape(side.name)}{run}", highlight=False)
    if outcome.settings:
        console.print(f"they differ in {', '.join(outcome.settings)}", highlight=False)
    documents = asdict(outcome.documents)
    console.print(
        "documents: "
        + ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in documents.items()),
        highlight=False,
    )
    _print_mentions(console, outcome, [*outcome.labels, all_labels(list(outcome.labels))])
    if outcome.concepts:
        _print_concepts(console, outcome)
    if outcome.names:
        rows = [
            [n.change, n.name, n.label, f"{n.mentions:,}", f"{n.documents:,}"]
            for n in outcome.names
        ]
        console.print(_table("Names", ["", "name", "label", "mentions", "documents"], rows, left=3))


def _print_mentions(console: Console, outcome: Diff, labels: Sequence[Any]) -> None:
    headings = ["label", "before", "after", "kept", "other bounds", "relabelled", "lost", "gained"]
    rows = [
        [
            label.label,
            f"{label.before:,}",
            f"{label.after:,}",
            _with_share(label.kept, label.shares["kept"]),
            f"{label.boundary:,}",
            f"-{label.relabelled_from:,} +{label.relabelled_to:,}",
            _with_share(label.lost, label.shares["lost"]),
            _with_share(label.gained, label.shares["gained"]),
        ]
        for label in labels
    ]
    console.print(_table("Mentions", headings, rows))
    if outcome.relabellings:
        moves = [[m.before, m.after, f"{m.mentions:,}"] for m in outcome.relabellings]
        console.print(_table("Relabelled", ["from", "to", "mentions"], moves, left=2))


def _print_concepts(console: Console, outcome: Diff) -> None:
    headings = ["ontology", "before", "after", "kept", "lost", "gained", "documents that differ"]
    rows = [
        [name, *(f"{count:,}" for count in counts)]
        for name, *counts in (asdict(ontology).values() for ontology in outcome.concepts)
    ]
    console.print(_table("Concepts of documents", headings, rows))
    if outcome.top_concepts:
        top = [
            [c.ontology, c.change, c.concept_id, c.concept_name, f"{c.documents:,}"]
            for c in outcome.top_concepts
        ]
        headings = ["ontology", "", "concept", "name", "documents"]
        console.print(_table("Concepts lost and gained", headings, top, left=4))


def _table(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1
) -> Table:
    """A table whose first columns are words and whose others are numbers."""
    table = Table(title=title, title_justify="left", box=None, header_style="dim")
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="left" if index < left else "right")
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def _with_share(count: int, share: float | None) -> str:
    return f"{count:,}" if share is None else f"{count:,} ({share:.1%})"


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value or "")
