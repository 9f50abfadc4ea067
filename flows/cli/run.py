"""``charthouse run`` and ``charthouse demo``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from flows.cli.access import Wait
from flows.cli.exits import EXIT_QUALITY, EXIT_REJECTS
from flows.cli.finders import MODEL_HELP, Dictionary, chosen_models
from flows.cli.terminal import standard_output
from flows.errors import CharthouseError

Warehouse = Annotated[
    Path, typer.Option("--warehouse", "-w", help="DuckDB file to write; made where missing.")
]
WarehouseOrConfigured = Annotated[
    Path | None,
    typer.Option(
        "--warehouse",
        "-w",
        help="DuckDB file to write; made where missing. (default: that of --config)",
    ),
]
Workers = Annotated[
    int | None, typer.Option(min=0, help="Worker processes; 0 = one per CPU core. (default: 0)")
]
Runner = Annotated[
    str | None,
    typer.Option(help="Where shards are annotated: local, dask or ray. (default: local)"),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        "--address",
        help="Of the cluster: tcp://HOST:8786 of Dask; HOST:6379, ray://HOST:10001, auto or "
        "local of Ray.",
    ),
]
Staging = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER|URL",
        help="Where this machine and a cluster's workers exchange shards, for example "
        "s3://bucket/folder. (default: beside the warehouse)",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done, and how; write nothing.")
]

_FORMATS = "auto, pubtator, pubmed, jats, bioc, csv, jsonl, parquet, duckdb, fhir, text or iob"


def run(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...",
            help="Files, folders or globs, also as URLs like s3://bucket/*.xml.gz; .gz and .zst "
            "are read as they are. (default: those of --config)",
        ),
    ] = None,
    warehouse: WarehouseOrConfigured = None,
    corpus: Annotated[
        str | None, typer.Option(help="Name of the collection; document_id is corpus:native_id.")
    ] = None,
    format: Annotated[str | None, typer.Option(help=f"{_FORMATS}.")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=NAME",
            help="Column of a csv, jsonl, parquet or duckdb source, for example text=note_body. "
            "Roles: id, text, title, abstract, date, person, encounter, type; table names that of "
            "a duckdb file. Repeat for more.",
        ),
    ] = None,
    ontology: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STORE",
            help="Concept store made by `charthouse ontology build`, or `sample`. Repeat for "
            "more; the first one is shown by the entities view. (default: what the warehouse is "
            "linked to already, else sample)",
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help=f"{MODEL_HELP} (default: bundled)"),
    ] = None,
    dictionary: Dictionary = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="TOML file of settings, a job file where it names sources and warehouse too; "
            "arguments and flags win over it."
        ),
    ] = None,
    workers: Workers = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    runner: Runner = None,
    address: Address = None,
    staging: Staging = None,
    privacy: Annotated[
        str | None,
        typer.Option(
            metavar="MODE",
            help="What becomes of names, dates and other identifiers in notes: off, mask, "
            "surrogate or drop_text; all but off need a secret in CHARTHOUSE_PRIVACY_KEY. "
            "(default: off)",
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Read at most so many records.")] = None,
    retry_rejects: Annotated[
        bool, typer.Option("--retry-rejects", help="Try documents again that failed before.")
    ] = False,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Remove documents that are in none of the sources any more."),
    ] = False,
    prune_limit: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Share of the documents that --prune may remove. (default: 0.5)"
        ),
    ] = None,
    keep_previous: Annotated[
        bool,
        typer.Option(
            "--keep-previous",
            help="Keep what other models or settings found beside what these find.",
        ),
    ] = False,
    wait: Wait = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Annotate documents, link their mentions, and write DuckDB tables.

    Documents that are in the warehouse already, unchanged, are skipped: run it as often as you
    like. After an interruption the same command goes on where it stopped.

    Exit codes: 0 all done, 1 failed, 2 wrong usage, 3 done with new rejects, 4 done, but a
    threshold of quality was crossed, 130 interrupted.

    Example: charthouse run notes.csv.gz --warehouse notes.duckdb --ontology mesh2026

    Example: charthouse run --config nightly.toml
    """
    flags = _given(
        sources=tuple(sources) if sources else None,
        warehouse=_given(path=warehouse, wait_seconds=wait),
        source=_given(
            format=format,
            corpus=corpus,
            columns=_columns(column),
            limit=limit,
            retry_rejects=retry_rejects or None,
            prune=prune or None,
            prune_limit=prune_limit,
        ),
        ner=_given(models=chosen_models(model), device=device),
        dictionary=_given(stores=tuple(dictionary) if dictionary else None),
        ontologies=tuple(ontology) if ontology else None,
        keep_previous=keep_previous or None,
        privacy=_given(mode=privacy),
        execution=_given(workers=workers, runner=runner, address=address, staging=staging),
    )
    _carry_out(config, flags, dry_run=dry_run, as_json=as_json)


def demo(
    warehouse: Warehouse,
    workers: Workers = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Run the main job on the sample in the box: invented abstracts and notes, a little MeSH."""
    from flows.bundled import SAMPLE_SOURCES

    flags = _given(
        sources=tuple(str(path) for path in SAMPLE_SOURCES),
        warehouse={"path": warehouse},
        source={"corpus": "sample"},
        execution=_given(workers=workers),
        ontologies=("sample",),
    )
    _carry_out(None, flags, dry_run=dry_run, as_json=as_json)


def _given(**values: Any) -> dict[str, Any]:
    """Only what the user gave: the rest is left to environment and file."""
    return {name: value for name, value in values.items() if value not in (None, {})}


def _columns(given: list[str] | None) -> dict[str, str] | None:
    if not given:
        return None
    columns = {}
    for pair in given:
        role, equals, name = pair.partition("=")
        if not equals or not role or not name:
            raise typer.BadParameter(f"{pair}: write ROLE=NAME", param_hint="--column")
        columns[role] = name
    return columns


def _carry_out(config: Path | None, flags: dict[str, Any], *, dry_run: bool, as_json: bool) -> None:
    from flows.cli.run_summary import print_summary
    from flows.jobs import order_of
    from flows.run import execute, preview
    from flows.settings import load_settings

    order = order_of(load_settings(config, flags))
    if dry_run:
        _print_preview(order, preview(order), as_json=as_json)
        return
    summary = execute(order, quiet=as_json)
    if as_json:
        print(json.dumps(summary.as_dict(), ensure_ascii=False))
    else:
        print_summary(standard_output(), summary)
    if summary.quality_failed:
        raise typer.Exit(EXIT_QUALITY)
    if summary.new_rejects:
        raise typer.Exit(EXIT_REJECTS)


def _print_preview(order: Any, preview: Any, *, as_json: bool) -> None:
    from dataclasses import asdict

    from flows.readers.discover import describe

    files = [describe(file) for file in order.files]
    if as_json:
        print(json.dumps({"sources": files, **asdict(preview)}, ensure_ascii=False))
        return
    console = standard_output()
    table = Table(title="Sources", title_justify="left", box=None, header_style="dim")
    for heading in ("file", "format", "corpus", "columns"):
        table.add_column(heading, no_wrap=heading in {"format", "corpus"}, overflow="fold")
    for file in files[:20]:
        columns: Any = file["columns"] or {}
        mapping = ", ".join(f"{role}={name}" for role, name in columns.items())
        mapping = str(file.get("problem", mapping))
        table.add_row(
            escape(str(file["path"])), str(file["format"]), str(file["corpus"]), escape(mapping)
        )
    console.print(table)
    if len(files) > 20:
        console.print(f"... and {len(files) - 20:,} more")
    counts = preview.counts
    console.print(
        f"\n{counts.read:,} records: {preview.documents:,} documents to annotate "
        f"({counts.new:,} new, {counts.replaced:,} changed; {preview.characters:,} characters), "
        f"{counts.skipped:,} done before, {counts.duplicates:,} identical duplicates, "
        f"{counts.superseded:,} older versions, {counts.deleted:,} to withdraw, "
        f"{counts.pruned:,} to prune, {counts.rejected:,} rejects."
    )
    console.print(
        f"Annotation set {order.annotation.annotation_id}: "
        + ", ".join(f"{m.name} ({', '.join(m.labels)})" for m in order.annotation.models)
    )
    if (privacy := order.settings.privacy).is_on:
        console.print(f"Identifiers: privacy.mode {privacy.mode} for {', '.join(privacy.kinds)}")
    console.print("Nothing was written: this was a dry run.")


__all__ = ["CharthouseError", "demo", "run"]
