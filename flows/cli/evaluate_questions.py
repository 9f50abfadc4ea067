"""``charthouse evaluate qa``: questions with options, answered by a language model or a head."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from flows.cli import evaluate
from flows.cli.evaluate import Config, Device, Resamples, Seed, UsePrefect, Warehouse
from flows.errors import UsageError

_ASKING = "How questions are asked"
_RESULTS = "Results"


def qa(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE...",
            help="Files of questions: MMLU's CSV, JSON Lines of MedMCQA or MedQA, PubMedQA's JSON; "
            "plain, .gz or .zst; told by their content. Each is judged by itself.",
        ),
    ] = None,
    dataset: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="The same as FILE. Repeat for more."),
    ] = None,
    task: Annotated[
        Literal["multiple_choice", "yes_no_maybe"],
        typer.Option(help="What kind of questions they are."),
    ] = "multiple_choice",
    model: Annotated[
        str | None,
        typer.Option(
            help="A folder or hub:owner/name@revision: a causal language model, a LoRA adapter, or "
            "a model with a trained head (`charthouse train qa`, or any *ForMultipleChoice). "
            "(default: generation.model of the settings)"
        ),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(
            help="How a causal model is asked: mmlu, medmcqa, medqa, pubmedqa, or text, which "
            "scores the options' words instead of their letters. (default: by the file's form)",
            rich_help_panel=_ASKING,
        ),
    ] = None,
    shots: Annotated[
        int,
        typer.Option(
            min=0,
            help="So many questions of --shots-from stand before each, with their answers.",
            rich_help_panel=_ASKING,
        ),
    ] = 0,
    shots_from: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File whose first questions are the examples, such as MMLU's anatomy_dev.csv.",
            rich_help_panel=_ASKING,
        ),
    ] = None,
    first_option: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=1,
            help="What `cop` of a MedMCQA file counts from, where its numbers do not tell.",
            rich_help_panel=_ASKING,
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Judge by the first so many questions of each file.")
    ] = None,
    config: Config = None,
    device: Device = None,
    prefect: UsePrefect = None,
    resamples: Resamples = 1000,
    seed: Seed = 0,
    harness: Annotated[
        bool,
        typer.Option(
            "--harness",
            help="Also run EleutherAI's lm-evaluation-harness on the same model and questions, and "
            "show its figures. Needs charthouse[harness].",
            rich_help_panel=_RESULTS,
        ),
    ] = False,
    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.tsv",
            help="Write ids, right and chosen options and all scores, tab-separated; no text.",
            rich_help_panel=_RESULTS,
        ),
    ] = None,
    warehouse: Warehouse = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object.", rich_help_panel=_RESULTS)
    ] = False,
) -> None:
    """Judge answers to questions with options: accuracy by subject, chance and majority beside it.

    A causal model takes the option it finds likeliest, as in lm-evaluation-harness; a model with a
    trained head the one with the highest score.

    Example: charthouse evaluate qa anatomy_test.csv --model models/biogpt

    Example: charthouse evaluate qa pqal.json --task yes_no_maybe --model models/mine
    """
    from flows.evaluating.asked import Asked
    from flows.evaluating.choices import BY_ANSWER
    from flows.evaluating.questions import PER_BYTE, PER_CHARACTER
    from flows.evaluating.request import Request
    from flows.settings import load_settings

    paths = (*(files or ()), *(dataset or ()))
    if not paths:
        raise UsageError("no file of questions is named", "charthouse evaluate qa FILE --model M")
    given = {"model": model, "device": device}
    flags: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    settings = load_settings(config, {"generation": flags} if flags else {})
    if settings.generation.model is None:
        raise UsageError("no model is named", "Add --model FOLDER or hub:owner/name@revision")
    asked = Asked(
        task, settings.generation.model, style, shots, shots_from, first_option, harness=harness
    )
    request = Request(
        gold=paths, settings=settings, limit=limit, resamples=resamples, seed=seed, asked=asked
    )
    hidden = (PER_BYTE, PER_BYTE + BY_ANSWER, PER_CHARACTER + BY_ANSWER)  # JSON has them
    evaluate.carry_out(
        "qa", request, prefect, predictions, warehouse, as_json=as_json, hidden=hidden
    )
