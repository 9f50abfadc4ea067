"""``charthouse report``: a page that shows what is in a warehouse."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.access import Config, Wait, access_for
from flows.cli.inspect import Warehouse


def report(
    warehouse: Warehouse,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="HTML file to write; a former report there is replaced."),
    ],
    title: Annotated[str, typer.Option(help="Title of the page.")] = "",
    run: Annotated[
        str,
        typer.Option(
            metavar="RUN", help="Start of the run_id that the page is about, or `latest`."
        ),
    ] = "latest",
    top: Annotated[
        int, typer.Option(min=1, max=200, metavar="N", help="Concepts and names in lists.")
    ] = 25,
    with_text: Annotated[
        bool,
        typer.Option(
            "--with-text",
            help="Also show names and documents with their text, which may be clinical. The file "
            "can then be read by its owner only.",
        ),
    ] = False,
    documents: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", help="Documents in the viewer, with --with-text; 0 for none."
        ),
    ] = 100,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the draw of these documents.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was written as JSON.")
    ] = False,
    wait: Wait = None,
    config: Config = None,
) -> None:
    """Write a page of charts and tables on what is in a warehouse: one HTML file, no network.

    Without --with-text it holds counts, concepts and scores, and no text of any document.

    Example: charthouse report --warehouse notes.duckdb --out notes.html
    """
    from flows.reporting.context import ReportOptions
    from flows.reporting.report import write_report

    options = ReportOptions(title, run, top, with_text, documents, seed)
    written = write_report(warehouse, out, options, access_for(config, wait))
    if as_json:
        print(json.dumps(asdict(written), ensure_ascii=False))
        return
    print(
        f"{written.path}: {written.bytes / 1e6:.1f} MB, {len(written.sections)} sections, run "
        f"{written.run_id}, {'with' if with_text else 'without'} text of documents"
    )
