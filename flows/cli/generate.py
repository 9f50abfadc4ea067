"""``charthouse generate``: texts and relations that language models make of documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.access import Wait
from flows.cli.exits import EXIT_REJECTS
from flows.cli.terminal import standard_output

app = typer.Typer(
    help="Texts and relations that language models make of a warehouse's documents, as tables.",
    no_args_is_help=True,
)

Warehouse = Annotated[
    Path | None,
    typer.Option(
        "--warehouse",
        "-w",
        help="DuckDB file that `charthouse run` filled. (default: that of --config)",
    ),
]
Where = Annotated[
    str | None,
    typer.Option(
        metavar="SQL",
        help="Only documents of which this condition on the table documents is true, for example "
        "\"kind = 'abstract'\". (default: all)",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        help="Causal language model: a folder, hub:owner/name@revision, or endpoint:NAME. "
        "(default: generation.model of --config)"
    ),
]
RelationModel = Annotated[
    str | None,
    typer.Option(
        help="`bundled`, a relation classifier's folder or hub:owner/name@revision, or a causal "
        "model that writes relations as sentences. (default: bundled)"
    ),
]
Prompt = Annotated[
    str | None,
    typer.Option(help="Prompt template: a name from the box or a TOML file. (default: the task's)"),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Look at so many items at most.")]
MaxNewTokens = Annotated[
    int | None,
    typer.Option(min=1, help="Tokens of a text at most. (default: as the template says)"),
]
Temperature = Annotated[
    float | None,
    typer.Option(
        min=0, help="0 takes the likeliest token each time; above, tokens are drawn. (default: 0)"
    ),
]
Seed = Annotated[int | None, typer.Option(min=0, help="Of drawn tokens. (default: 0)")]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N. (default: auto)")]
Workers = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Worker processes, each with its own copy of the model; they share the cores. "
        "(default: 1)",
    ),
]
Retry = Annotated[bool, typer.Option("--retry-rejects", help="Try items again that failed before.")]
Config = Annotated[
    Path | None,
    typer.Option(
        help="TOML file of settings: [generate], [generation], [endpoint], [retrieval], "
        "[relations] and others; flags win over it."
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say how much is to be done; load no model's weights.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]


@app.command()
def summarize(
    warehouse: Warehouse = None,
    where: Where = None,
    model: Model = None,
    prompt: Prompt = None,
    limit: Limit = None,
    max_new_tokens: MaxNewTokens = None,
    temperature: Temperature = None,
    seed: Seed = None,
    device: Device = None,
    workers: Workers = None,
    retry_rejects: Retry = False,
    config: Config = None,
    wait: Wait = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Write a summary of each document, to the table generations.

    What is there already, of the same text, model, prompt and settings, is skipped. After an
    interruption the same command goes on. Exit code 3: done, with new rejects.

    Example: charthouse generate summarize -w abstracts.duckdb --model models/biogpt
    """
    _carry_out("summarize", **_common(locals()))


@app.command()
def text(
    warehouse: Warehouse = None,
    input: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Value of a further input that the template names. Repeat for more.",
        ),
    ] = None,
    where: Where = None,
    model: Model = None,
    prompt: Prompt = None,
    limit: Limit = None,
    max_new_tokens: MaxNewTokens = None,
    temperature: Temperature = None,
    seed: Seed = None,
    device: Device = None,
    workers: Workers = None,
    retry_rejects: Retry = False,
    config: Config = None,
    wait: Wait = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Write what a prompt template of your own asks of each document, to the table generations.

    Example: charthouse generate text -w notes.duckdb --model models/m --prompt letter.toml \
--input clinic=Cardiology
    """
    _carry_out("text", inputs=_inputs(input), **_common(locals()))


@app.command()
def answer(
    warehouse: Warehouse = None,
    question: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="A question. Repeat for more.")
    ] = None,
    questions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV or JSON lines with question_id and question."),
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(
            help="Whose text is searched for each answer: that of one document, of one person, or "
            "of the whole warehouse; document and person answer once for each. (default: warehouse)"
        ),
    ] = None,
    where: Where = None,
    model: Model = None,
    prompt: Prompt = None,
    limit: Limit = None,
    max_new_tokens: MaxNewTokens = None,
    temperature: Temperature = None,
    seed: Seed = None,
    device: Device = None,
    workers: Workers = None,
    retry_rejects: Retry = False,
    config: Config = None,
    wait: Wait = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Answer questions from passages of the documents, to generations and generation_sources.

    Example: charthouse generate answer -w notes.duckdb --model models/m --scope person \
--question "Which medication was stopped?"
    """
    _carry_out(
        "answer",
        asked=tuple(question or ()),
        question_file=questions,
        scope=scope,
        **_common(locals()),
    )


@app.command()
def relations(
    warehouse: Warehouse = None,
    where: Where = None,
    model: RelationModel = None,
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Least probability. (default: the model's own)"),
    ] = None,
    limit: Limit = None,
    max_new_tokens: MaxNewTokens = None,
    device: Device = None,
    workers: Workers = None,
    retry_rejects: Retry = False,
    config: Config = None,
    wait: Wait = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Find relations between the mentions of each document, to the table relations.

    Example: charthouse generate relations -w abstracts.duckdb
    """
    _carry_out("relations", **_common(locals()))


_OPTIONS = (
    *("warehouse", "where", "model", "prompt", "threshold", "limit", "max_new_tokens"),
    *("temperature", "seed", "device", "workers", "retry_rejects", "config", "wait"),
    *("dry_run", "as_json"),
)


def _common(given: dict[str, Any]) -> dict[str, Any]:
    """The options that all tasks have."""
    return {name: given[name] for name in _OPTIONS if name in given}


def _inputs(given: list[str] | None) -> dict[str, str]:
    inputs = {}
    for pair in given or ():
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise typer.BadParameter("write NAME=VALUE", param_hint="--input")
        inputs[name] = value
    return inputs


def _given(**values: Any) -> dict[str, Any]:
    """Only what the user gave: the rest is left to environment and file."""
    return {name: value for name, value in values.items() if value not in (None, {})}


def _carry_out(
    task: str,
    *,
    warehouse: Path | None,
    where: str | None,
    model: str | None,
    limit: int | None,
    max_new_tokens: int | None,
    device: str | None,
    workers: int | None,
    retry_rejects: bool,
    config: Path | None,
    wait: float | None,
    dry_run: bool,
    as_json: bool,
    prompt: str | None = None,
    threshold: float | None = None,
    temperature: float | None = None,
    seed: int | None = None,
    inputs: dict[str, str] | None = None,
    asked: tuple[str, ...] = (),
    question_file: Path | None = None,
    scope: str | None = None,
) -> None:
    from flows.cli.generate_outcome import print_outcome, print_preview
    from flows.generating.run import (
        generate,
        prepare_generation,
        preview_generation,
        wanted_of,
    )
    from flows.jobs import warehouse_of
    from flows.settings import load_settings

    finds = task == "relations"
    flags = _given(
        warehouse=_given(path=warehouse, wait_seconds=wait),
        source=_given(retry_rejects=retry_rejects or None),
        generation=_given(
            model=None if finds else model,
            prompt=prompt,
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            seed=seed,
            device=device,
        ),
        relations=_given(model=model if finds else None, threshold=threshold),
        generate=_given(
            where=where,
            question=asked or None,
            questions=question_file,
            scope=scope,
            limit=limit,
            inputs=inputs or {},
        ),
        execution=_given(workers=workers),
    )
    settings = load_settings(config, flags)
    order = prepare_generation(warehouse_of(settings), wanted_of(settings, task), settings)
    if dry_run:
        print_preview(preview_generation(order), as_json=as_json)
        return
    outcome = generate(order, quiet=as_json)
    if as_json:
        print(json.dumps(outcome.as_dict(), ensure_ascii=False))
    else:
        print_outcome(standard_output(), outcome)
    if outcome.new_rejects:
        raise typer.Exit(EXIT_REJECTS)
