"""``charthouse sample``: documents for annotators."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.cli.access import Config, Wait
from flows.cli.exits import interruption_told
from flows.cli.terminal import standard_output
from flows.sampling.choices import Form, Strategy, Stratum

if TYPE_CHECKING:
    from flows.sampling.sample import Sampled


def sample(
    warehouse: Annotated[
        Path, typer.Option("--warehouse", "-w", help="DuckDB file to draw from; it is only read.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="File to write: .json for Label Studio, .pubtator for PubTator.",
        ),
    ],
    n: Annotated[int, typer.Option("--n", min=1, help="Documents to draw, at most.")] = 100,
    strategy: Annotated[
        Strategy,
        typer.Option(
            help="random: estimates the whole; uncertain: least certain mentions; unlinked: many "
            "frequent names without a concept in few documents."
        ),
    ] = Strategy.random,
    seed: Annotated[int, typer.Option(min=0, help="Decides what chance decides.")] = 0,
    by: Annotated[
        list[Stratum] | None,
        typer.Option(help="Keep the shares of this column in a random sample. Repeatable."),
    ] = None,
    form: Annotated[
        Form | None, typer.Option("--format", help="(default: by the name of --out)")
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            "--labels",
            metavar="LABEL",
            help="Only mentions of this label, for choice and annotators. Repeatable. (default: "
            "all that the models find)",
        ),
    ] = None,
    blind: Annotated[
        bool,
        typer.Option("--blind", help="Write no mentions: what is shown sways annotators."),
    ] = False,
    exclude: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A file drawn or annotated earlier: not its documents again. Repeatable.",
        ),
    ] = None,
    corpus: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this corpus. Repeatable.")
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help="Only abstract, note or article. Repeatable."),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            metavar="SQL",
            help="Condition over columns of the table documents, for example "
            "\"document_date >= '2024-01-01'\". (default: all)",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be drawn; write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    wait: Wait = None,
    config: Config = None,
) -> None:
    """Draw documents for annotators, with what the warehouse says as mentions to correct.

    The file holds text and is readable by its owner only; nothing of it is printed. What comes
    back is judged by `charthouse evaluate ner FILE --from-warehouse W --warehouse W`, and can be
    learnt from by `charthouse train ner`. docs/annotators.md has the way round.

    Example: charthouse sample -w notes.duckdb --n 50 --strategy uncertain --out tasks.json
    """
    from flows.errors import UsageError
    from flows.exporting.selection import Selection
    from flows.sampling.files import check_out
    from flows.sampling.request import SampleRequest, form_of
    from flows.sampling.sample import sample as carry_out
    from flows.settings import load_settings
    from flows.warehouse.access import access_of

    if by and strategy is not Strategy.random:
        raise UsageError("--by is for random samples", "Leave it out, or --strategy random")
    request = SampleRequest(
        warehouse=warehouse,
        out=out,
        form=form_of(out, form),
        documents=n,
        strategy=strategy,
        seed=seed,
        selection=Selection(where, tuple(corpus or ())),
        kinds=tuple(kind or ()),
        by=tuple(dict.fromkeys(by or ())),
        labels=tuple(dict.fromkeys(label or ())),
        exclude=tuple(exclude or ()),
        blind=blind,
    )
    check_out(out, overwrite=overwrite or dry_run)
    flags = {"warehouse": {"wait_seconds": wait}} if wait is not None else {}
    settings = load_settings(config, flags)
    access = access_of(settings.warehouse, quiet=as_json)
    with interruption_told("No sample was written."):
        outcome = carry_out(request, access, settings.execution, dry_run=dry_run)
    if as_json:
        print(json.dumps(outcome.as_dict(), ensure_ascii=False))
    else:
        _print(standard_output(), outcome)


def _print(console: Console, outcome: Sampled) -> None:
    from flows.sampling.request import MEANINGS

    if not outcome.files:
        meanings = Table(title="Strategies", title_justify="left", box=None, header_style="dim")
        meanings.add_column("")
        meanings.add_column("chooses")
        for strategy, meaning in MEANINGS.items():
            mark = ">" if strategy is outcome.request.strategy else " "
            meanings.add_row(f"{mark} {strategy}", escape(meaning))
        console.print(meanings)
    table = Table(title="Documents", title_justify="left", box=None, header_style="dim")
    for heading in ("corpus", "kind"):
        table.add_column(heading)
    for heading in ("to draw from", "drawn", "characters", "mentions"):
        table.add_column(heading, justify="right")
    for group in outcome.groups:
        numbers = (group.pool, group.drawn, group.characters, group.mentions)
        table.add_row(
            escape(group.corpus), escape(group.kind), *(f"{number:,}" for number in numbers)
        )
    console.print(table)
    left_out = {"without a text": outcome.without_text, "excluded": outcome.excluded}
    for words, count in {**outcome.facts, **{k: v for k, v in left_out.items() if v}}.items():
        console.print(f"{words}: {count:,}", highlight=False)
    for note in outcome.notes:
        console.print(f"Note: {note}", highlight=False)
    drawn = outcome.drawn
    console.print(
        escape(
            f"{drawn.documents:,} documents, strategy {drawn.strategy}, seed {drawn.seed}, labels "
            + (", ".join(drawn.labels) or "none")
        ),
        highlight=False,
    )
    if outcome.files:
        console.print(f"Written: {escape(', '.join(map(str, outcome.files)))}", highlight=False)
    else:
        console.print("Nothing was written: this was a dry run.")
