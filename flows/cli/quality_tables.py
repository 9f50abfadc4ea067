"""The tables of ``charthouse quality``, narrow enough for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.quality.drift import Drift
from flows.quality.measures import MEASURES
from flows.quality.schema import ALL, FAILED, LIMIT, TOO_FEW, WARNING
from flows.quality.telling import shown, side_shown, threshold_shown

FOUND = {
    "mentions": "mentions",
    "mentions_per_1000": "per 1,000",
    "label_share": "share",
    "mean_score": "score",
    "link_share": "linked",
    "abstention_share": "unsure",
    "out_of_vocabulary_share": "unknown",
}
"""Columns of ``quality`` and their headings."""

_COLOURS = {WARNING: "yellow", FAILED: "red", TOO_FEW: "dim"}


def print_found(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    """What a run found, a table for each corpus."""
    width = max((len(str(row["label"])) for row in rows), default=0)
    for corpus, its in groupby(rows, key=lambda row: str(row["corpus"])):
        listed = list(its)
        console.print(f"\n[bold]{_name(corpus)}[/]: {_documents(listed)}", highlight=False)
        table = Table(box=None, header_style="bold", pad_edge=False)
        table.add_column("label", overflow="fold", min_width=min(width, 12))
        for heading in FOUND.values():
            table.add_column(heading, justify="right", no_wrap=True)
        for row in listed:
            label = "all" if row["label"] == ALL else escape(str(row["label"]))
            table.add_row(label, *(shown(name, row[name]) for name in FOUND))
        console.print(table)


def _documents(rows: Sequence[dict[str, Any]]) -> str:
    documents = rows[0]["documents"]
    words = f"{documents:,} document{'' if documents == 1 else 's'}"
    for row in rows:
        if row["label"] == ALL and row["rejects"]:
            words += f", {row['rejects']:,} rejects ({shown('reject_share', row['reject_share'])})"
    return words


def print_compared(console: Console, drifts: Sequence[Drift]) -> None:
    """What was compared, grouped by corpus and label; thresholds of a measure itself last."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("measure", overflow="fold")
    for heading in ("before", "after", "value", "warn", "fail"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    groups = groupby(sorted(drifts, key=_place), key=lambda drift: _place(drift)[:3])
    for (is_limit, corpus, label), its in groups:
        of = "all labels" if label == ALL else escape(label)
        limits = ", limits" if is_limit else ""
        table.add_row(f"[bold]{_name(corpus)}, {of}{limits}[/]")
        for drift in its:
            name, found = drift.found.measure, drift.found
            colour = _COLOURS.get(drift.status)
            table.add_row(
                f" {name}",
                side_shown(name, found.before),
                "" if is_limit else side_shown(name, found.after),
                shown(name, found.value),
                *(threshold_shown(name, value) for value in drift.thresholds),
                f"[{colour}]{drift.status}[/]" if colour else drift.status,
            )
    console.print(table)


def _place(drift: Drift) -> tuple[bool, str, str, int]:
    its = drift.found
    return drift.against == LIMIT, its.corpus, its.label, MEASURES.index(its.measure)


def _name(corpus: str) -> str:
    return "all corpora" if corpus == ALL else escape(corpus)


def without_twins(
    rows: Sequence[dict[str, Any]], drifts: Sequence[Drift]
) -> tuple[list[dict[str, Any]], list[Drift]]:
    """Less what all corpora together only repeat, since there is one corpus."""
    corpora = {str(row["corpus"]) for row in rows} - {ALL}
    if len(corpora) != 1:
        return list(rows), list(drifts)
    known = [{**row, "corpus": ALL} for row in rows if row["corpus"] != ALL]
    compared = {_said(drift) for drift in drifts if drift.found.corpus != ALL}
    return (
        [row for row in rows if row["corpus"] != ALL or row not in known],
        [
            drift
            for drift in drifts
            if drift.found.corpus != ALL
            or drift.status in {WARNING, FAILED}
            or _said(drift) not in compared
        ],
    )


def _said(drift: Drift) -> tuple[object, ...]:
    its = drift.found
    return drift.against_run_id, its.label, its.measure, its.before, its.after, its.value
