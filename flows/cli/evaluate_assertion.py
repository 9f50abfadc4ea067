"""``charthouse evaluate assertion``: negation and its kin against judged sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli import evaluate
from flows.cli.evaluate import Config, Device, Resamples, Seed, UsePrefect, Warehouse


def assertion(
    gold: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Gold files in the form of the NegEx test kit, plain, .gz or .zst. Each is judged "
            "by itself.",
        ),
    ],
    method: Annotated[
        str | None,
        typer.Option(
            help="`rules`, or a sequence classifier: a folder or hub:owner/name@revision. "
            "(default: rules)"
        ),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(metavar="RULES.toml", help="Further rules, as in a run.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Judge by the first so many rows of each file.")
    ] = None,
    config: Config = None,
    device: Device = None,
    prefect: UsePrefect = None,
    resamples: Resamples = 1000,
    seed: Seed = 0,
    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.tsv",
            help="Write line, negated, uncertain, historical, hypothetical and experiencer of "
            "every row, tab-separated, for others to score.",
            rich_help_panel="Results",
        ),
    ] = None,
    warehouse: Warehouse = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object.", rich_help_panel="Results")
    ] = False,
) -> None:
    """Judge assertion: precision, recall and F1 of what is negated, historical, not the patient's.

    Each row is a concept in a sentence, which is assessed by itself, without a section.

    Example: charthouse evaluate assertion negex.tsv --predictions said.tsv
    """
    given = {"method": method, "rules": rules}
    flags = {name: value for name, value in given.items() if value is not None}
    request = evaluate.request_of(
        gold, config, device=device, assertion=flags, limit=limit, resamples=resamples, seed=seed
    )
    evaluate.carry_out("assertion", request, prefect, predictions, warehouse, as_json=as_json)
