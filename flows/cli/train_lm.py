"""``charthouse train lm``: texts, or prompts and completions, to a causal language model."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.terminal import standard_output
from flows.processes import Interrupted

EXIT_INTERRUPTED = 130

_TEXTS = "Texts"
_RECIPE = "Recipe"
_LORA = "Low-rank adapters"


def lm(
    base: Annotated[
        str,
        typer.Option(
            metavar="MODEL", help="Causal model to start from: a folder or hub:owner/name@revision."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the model to make.")],
    train: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="JSON Lines (.jsonl) with prompt and completion, or with text; any other file is "
            "a text, and a folder holds .txt files. Repeat for more.",
            rich_help_panel=_TEXTS,
        ),
    ] = None,
    dev: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="The same, to judge by after each epoch. Repeat for more.",
            rich_help_panel=_TEXTS,
        ),
    ] = None,
    dev_share: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=0.9,
            help="Instead of --dev: share of the texts to set apart, such as 0.05.",
            rich_help_panel=_TEXTS,
        ),
    ] = None,
    blocks: Annotated[
        bool,
        typer.Option(
            "--blocks",
            help="Text files hold several texts, with blank lines between.",
            rich_help_panel=_TEXTS,
        ),
    ] = False,
    warehouse: Annotated[
        Path | None,
        typer.Option(
            "--warehouse",
            "-w",
            help="Learn from the texts of a warehouse's documents too.",
            rich_help_panel=_TEXTS,
        ),
    ] = None,
    where: Annotated[
        str,
        typer.Option(
            metavar="SQL",
            help="Only documents of which this condition is true, such as \"kind = 'note'\".",
            rich_help_panel=_TEXTS,
        ),
    ] = "true",
    epochs: Annotated[
        int, typer.Option(min=1, help="Passes over the texts.", rich_help_panel=_RECIPE)
    ] = 3,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Highest learning rate. (default: 0.0002 with --lora, else 0.00002)",
            rich_help_panel=_RECIPE,
        ),
    ] = None,
    batch_tokens: Annotated[
        int,
        typer.Option(
            min=1,
            help="Tokens of a forward pass at most, padding included.",
            rich_help_panel=_RECIPE,
        ),
    ] = 4096,
    accumulation: Annotated[
        int, typer.Option(min=1, help="Forward passes of a step.", rich_help_panel=_RECIPE)
    ] = 1,
    max_tokens: Annotated[
        int, typer.Option(min=0, help="Of a row; 0 = the model's.", rich_help_panel=_RECIPE)
    ] = 0,
    warmup_share: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=0.9,
            help="Share of the steps in which the rate rises; then it falls along a cosine.",
            rich_help_panel=_RECIPE,
        ),
    ] = 0.05,
    weight_decay: Annotated[
        float, typer.Option(min=0.0, help="AdamW's.", rich_help_panel=_RECIPE)
    ] = 0.01,
    patience: Annotated[
        int,
        typer.Option(
            min=0,
            help="Stop after so many epochs without a lower dev perplexity and keep the best "
            "one's weights; 0 trains to the end and keeps the last.",
            rich_help_panel=_RECIPE,
        ),
    ] = 0,
    gradient_checkpointing: Annotated[
        bool,
        typer.Option(
            "--gradient-checkpointing",
            help="Less memory, more time.",
            rich_help_panel=_RECIPE,
        ),
    ] = False,
    seed: Annotated[
        int, typer.Option(help="Of adapters, order and dropout.", rich_help_panel=_RECIPE)
    ] = 13,
    lora: Annotated[
        bool,
        typer.Option(
            "--lora",
            help="Train adapters, not all weights; for large bases.",
            rich_help_panel=_LORA,
        ),
    ] = False,
    lora_rank: Annotated[
        int, typer.Option(min=1, help="Rank of the adapters.", rich_help_panel=_LORA)
    ] = 16,
    lora_alpha: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="They are scaled by alpha / rank; 0 = twice the rank.",
            rich_help_panel=_LORA,
        ),
    ] = 0.0,
    adapter_only: Annotated[
        bool,
        typer.Option(
            "--adapter-only",
            help="Save the adapter alone, which needs its base to be used; by default it is "
            "merged into the base's weights.",
            rich_help_panel=_LORA,
        ),
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    config: Annotated[
        Path | None, typer.Option(help="TOML file of settings; its [warehouse] counts here.")
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Remove the model in --out, or drop another unfinished training beside it.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what would be trained, and how long; write nothing."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Fine-tune a causal language model on texts, or on prompts and completions.

    Of a completion its own tokens are learnt and not those of its prompt. After an interruption the
    same command goes on from the last checkpoint. The folder it makes is a model wherever one is
    named: `generate --model`, `evaluate qa --model`, `link.writer_model`.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

    Example: charthouse train lm --train pairs.jsonl --dev-share 0.05 --base models/biogpt --lora
    --out models/linking
    """
    if bool(dev) == bool(dev_share):
        raise typer.BadParameter("give either --dev FILE or --dev-share 0.05", param_hint="--dev")
    if not train and warehouse is None:
        raise typer.BadParameter("give --train FILE or --warehouse FILE", param_hint="--train")
    if adapter_only and not lora:
        raise typer.BadParameter("needs --lora", param_hint="--adapter-only")
    from flows.settings import load_settings
    from flows.training.lessons import read_documents, read_lessons
    from flows.training.lm import prepare_lm, preview_lm
    from flows.training.run import execute
    from flows.training.summary import print_summary
    from nlp.generation.training.recipe import FULL_RATE, LORA_RATE

    recipe = {
        "epochs": epochs,
        "batch_tokens": batch_tokens,
        "accumulation": accumulation,
        "rate": rate if rate is not None else LORA_RATE if lora else FULL_RATE,
        "weight_decay": weight_decay,
        "warmup_share": warmup_share,
        "max_tokens": max_tokens,
        "patience": patience,
        "lora_rank": lora_rank if lora else 0,
        "lora_alpha": lora_alpha if lora else 0.0,
        "adapter_only": adapter_only,
        "gradient_checkpointing": gradient_checkpointing,
        "seed": seed,
    }
    lessons = read_lessons(train or (), blocks=blocks)
    if warehouse is not None:
        lessons += read_documents(warehouse, where, load_settings(config, {}))
    judged = read_lessons(dev, blocks=blocks) if dev else None
    try:
        order = prepare_lm(lessons, judged, dev_share or 0.0, base, recipe, out, device)
        if dry_run:
            _print_preview(preview_lm(order, overwrite=overwrite), as_json=as_json)
            return
        summary = execute(order, overwrite=overwrite, quiet=as_json)
    except (Interrupted, KeyboardInterrupt):
        print(
            "charthouse: interrupted. Checkpoints are kept; run the same command again to go on.",
            file=sys.stderr,
        )
        raise typer.Exit(EXIT_INTERRUPTED) from None
    if as_json:
        print(json.dumps(summary.as_dict(), ensure_ascii=False))
    else:
        print_summary(standard_output(), summary)


def _print_preview(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for role in ("train", "dev"):
        told = found[role]
        print(f"{role}: {told['texts']:,} texts, {told['completions']:,} completions of prompts")
    if found["left_out"]:
        print(f"{found['left_out']:,} train texts stand in the dev texts too: left out.")
    print(
        f"{found['tokens']:,} tokens to learn in {found['rows']:,} rows; "
        f"{found['steps_per_epoch']:,} steps an epoch and {found['steps']:,} in all."
    )
    print(
        f"Base {found['base']}: {found['parameters']:,} parameters, "
        f"{found['trained_parameters']:,} trained. "
        f"Of a GPU, by their shapes, about {found['gpu_bytes'] / 2**30:.1f} GiB."
    )
    if found["state"] == "goes on":
        print("A checkpoint waits: the training would go on from it.")
    elif found["state"] == "done":
        print("The model is there already: nothing would be left to do.")
    print("Nothing was written: this was a dry run.")
