"""``charthouse train qa``: a file of questions to a model that chooses between options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from flows.cli.exits import interruption_told
from flows.cli.terminal import standard_output
from flows.cli.training import CHECKPOINTS_KEPT, carry_out, print_state


def qa(
    train: Annotated[
        Path, typer.Option(metavar="FILE", help="Questions: PubMedQA, MedQA, MedMCQA or MMLU.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the model to make.")],
    dev: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Questions to judge by after each epoch.")
    ] = None,
    dev_share: Annotated[
        float | None,
        typer.Option(min=0.0, max=0.9, help="Instead of --dev: share of --train to set apart."),
    ] = None,
    base: Annotated[
        str, typer.Option(metavar="MODEL", help="minilm, a folder or hub:owner/name@revision.")
    ] = "minilm",
    task: Annotated[
        Literal["multiple_choice", "yes_no_maybe"] | None,
        typer.Option(help="Refuse questions that are not of it. (default: what they are of)"),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the questions.")] = 4,
    batch_questions: Annotated[int, typer.Option(min=1, help="Of one forward pass.")] = 8,
    accumulation: Annotated[int, typer.Option(min=1, help="Forward passes of a step.")] = 1,
    rate: Annotated[float, typer.Option(min=0.0, help="Highest learning rate.")] = 1e-4,
    max_tokens: Annotated[int, typer.Option(min=0, help="Of a row; 0 = the model's.")] = 0,
    explanations: Annotated[
        str,
        typer.Option(help="none; also: learn from them too; instead: as the only context."),
    ] = "none",
    focal: Annotated[float, typer.Option(min=0.0, help="Exponent of the focal loss.")] = 0.0,
    patience: Annotated[
        int, typer.Option(min=0, help="Epochs without a better accuracy before it stops.")
    ] = 0,
    lora_rank: Annotated[int, typer.Option(min=0, help="Of adapters; 0 trains all.")] = 0,
    gradient_checkpointing: Annotated[
        bool, typer.Option("--gradient-checkpointing", help="Less memory, more time.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of new head, order and dropout.")] = 13,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be learnt, and how long; no more.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Remove a former model.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Fine-tune a model to answer questions with options.

    After an interruption the same command goes on from the last checkpoint.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

    Example: charthouse train qa --train pubmedqa.json --dev-share 0.2 --explanations instead
    --out models/qa
    """
    if (dev is None) == (not dev_share):
        raise typer.BadParameter("give either --dev FILE or --dev-share 0.2", param_hint="--dev")
    if explanations not in {"none", "also", "instead"}:
        raise typer.BadParameter("use none, also or instead", param_hint="--explanations")
    from flows.training.qa import prepare_qa

    recipe = {
        "epochs": epochs,
        "batch_questions": batch_questions,
        "accumulation": accumulation,
        "rate": rate,
        "max_tokens": max_tokens,
        "explanations": explanations,
        "focal": focal,
        "patience": patience,
        "lora_rank": lora_rank,
        "gradient_checkpointing": gradient_checkpointing,
        "seed": seed,
    }
    with interruption_told(CHECKPOINTS_KEPT):
        order = prepare_qa(train, dev, dev_share or 0.0, base, recipe, out, device, task)
        if dry_run:
            from flows.training.qa_preview import preview_qa, print_preview

            preview = preview_qa(order, overwrite=overwrite)
            if as_json:
                print(json.dumps(preview.as_dict(), ensure_ascii=False))
            else:
                print_preview(standard_output(), preview)
                print_state(preview.state)
            return
        carry_out(order, overwrite=overwrite, as_json=as_json)
