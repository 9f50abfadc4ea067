"""``charthouse evaluate privacy``: de-identification against gold files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.cli.terminal import standard_output

if TYPE_CHECKING:
    from flows.evaluating.privacy import PrivacyJudgement


def privacy(
    gold: Annotated[
        list[Path],
        typer.Argument(
            metavar="GOLD...",
            help='Gold files, one object a line: {"id", "text", "spans": [{"start", "end", '
            '"kind"}]}; plain, .gz or .zst. Each is judged by itself.',
        ),
    ],
    privacy_model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Token classifier beside the rules: a folder or hub:owner/name@revision. Repeat "
            "for more. (default: those of the settings)",
        ),
    ] = None,
    privacy_names: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Names that are always identifiers: a kind, a tab and a name."
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Judge by the first so many documents of each file."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file of settings, as of a run; flags win over it."),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    resamples: Annotated[
        int, typer.Option(min=1, help="Draws of documents that the 95% intervals rest on.")
    ] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Which documents are drawn.")] = 0,
    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl",
            help="Write what was found, offsets and kinds without text, for others to score.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Judge de-identification: the share of identifiers that is covered, and what else is masked.

    An identifier counts when every character of it is covered. No text is printed, and no secret
    is needed.

    Example: charthouse evaluate privacy gold.jsonl --privacy-model models/deid --json
    """
    from flows.errors import CharthouseError
    from flows.evaluating.privacy import evaluate_privacy, write_found
    from flows.evaluating.run import check_outputs
    from flows.settings import load_settings
    from nlp.ner.device import choose_device
    from nlp.ner.errors import ModelError

    check_outputs(None, predictions)
    settings = load_settings(config, {"ner": {"device": device}} if device else {})
    given = {"models": tuple(privacy_model or ()), "names": privacy_names}
    chosen = settings.privacy.model_copy(update={k: v for k, v in given.items() if v})
    try:
        where = (
            choose_device(settings.ner.device, settings.ner.precision) if chosen.models else None
        )
    except ModelError as error:
        raise CharthouseError(str(error), "docs/configuration.md has the names") from None
    judged = evaluate_privacy(gold, chosen, where, limit=limit, resamples=resamples, seed=seed)
    if as_json:
        print(
            json.dumps(
                {
                    "task": "privacy",
                    "models": list(chosen.models),
                    "corpora": [judgement.as_json() for judgement in judged],
                }
            )
        )
    else:
        console = standard_output()
        for judgement in judged:
            _print(console, judgement)
        console.print("Per cent, with 95% bootstrap intervals over documents.", highlight=False)
    if predictions is not None:
        write_found(predictions, judged)


def _print(console: Console, judgement: PrivacyJudgement) -> None:
    title = f"{judgement.corpus}: identifiers, {judgement.documents:,} documents"
    table = Table(title=escape(title), title_justify="left", box=None, header_style="dim")
    for heading in ("kind", "gold", "recall", "touched"):
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    scores = [score for score in judgement.scores if score.scope == "identifiers"]
    for recall, touched in zip(scores[::2], scores[1::2], strict=True):
        interval = f"[dim]{100 * recall.low:.1f}-{100 * recall.high:.1f}[/]"
        table.add_row(
            recall.label,
            f"{recall.gold:,}",
            f"{100 * recall.value:.1f} {interval}",
            f"{100 * touched.value:.1f}",
        )
    console.print(table)
    for score in judgement.scores:
        if score.scope == "plain":
            console.print(
                f"  masked of other {score.label}: {100 * score.value:.2f}% of {score.gold:,}",
                highlight=False,
            )
    speed = judgement.characters / judgement.seconds if judgement.seconds else 0
    console.print(f"  characters per CPU second: {speed:,.0f}", highlight=False)
