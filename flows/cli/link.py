"""``charthouse link``: why a name links to what it links to."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.cli.terminal import standard_output
from flows.errors import CharthouseError

if TYPE_CHECKING:
    import polars as pl


def link(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME...", help="Names; without any, lines of standard input."),
    ] = None,
    ontology: Annotated[
        str, typer.Option(metavar="STORE", help="Concept store, or `sample`.")
    ] = "sample",
    label: Annotated[
        str,
        typer.Option(help="Mention label, for example Disease: restricts the types of concepts."),
    ] = "",
    candidates: Annotated[
        int, typer.Option(min=1, max=100, help="Concepts to show for a name.")
    ] = 5,
    config: Annotated[
        Path | None, typer.Option(help="TOML file of settings; its [link] counts here.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show the ranked concepts of names, with score, method and the name that matched.

    The names are linked as a run links them, but for what only a document can tell: its
    abbreviations and its other concepts.

    Example: charthouse link --ontology mesh2026 --label Disease "renal failure" NIDDM
    """
    from flows.evaluating.links import open_named_store
    from flows.linked_names import ranked_concepts
    from flows.settings import load_settings

    asked = list(names or [line.rstrip("\r\n") for line in sys.stdin])
    asked = [name for name in dict.fromkeys(asked) if name.strip()]
    if not asked:
        raise CharthouseError("no names to link", 'Give some: charthouse link "renal failure"')
    settings = load_settings(config, {}).link
    store = open_named_store(ontology, settings)
    links = ranked_concepts(store, asked, label, settings, candidates)
    if as_json:
        for row in links.iter_rows(named=True):
            print(json.dumps(row, ensure_ascii=False))
        return
    _print(standard_output(), links)
    print(store.release.attribution)


def _print(console: Console, links: pl.DataFrame) -> None:
    table = Table(box=None, header_style="dim")
    for heading in ("name", "status", "concept", "preferred name", "matched name", "method"):
        table.add_column(
            heading, no_wrap=heading in {"status", "concept", "method"}, overflow="fold"
        )
    table.add_column("score", justify="right")
    last = None
    for row in links.iter_rows(named=True):
        first = row["lookup_text"] != last
        last = row["lookup_text"]
        score = "" if row["score"] is None else f"{row['score']:.3f}"
        table.add_row(
            escape(row["lookup_text"]) if first else "",
            row["status"] if first else "",
            *(
                escape(row[name] or "")
                for name in ("concept_id", "concept_name", "matched_name", "method")
            ),
            score,
        )
    console.print(table)
