"""``charthouse train``: gold files and concept stores to models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from flows.cli import train_encoder, train_lm, train_qa, train_relations
from flows.cli.exits import interruption_told
from flows.cli.terminal import standard_output
from flows.cli.training import CHECKPOINTS_KEPT, carry_out, print_state

if TYPE_CHECKING:
    from flows.training.preview import Preview

_RECIPE = "Recipe"
_DATA = "Gold files"

app = typer.Typer(help="Train models from gold files and concept stores.", no_args_is_help=True)
app.command("encoder")(train_encoder.encoder)
app.command("relations")(train_relations.relations)
app.command("qa")(train_qa.qa)
app.command("lm")(train_lm.lm)


@app.callback()
def _options() -> None:
    pass


@app.command()
def ner(
    train: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            help="Gold file to learn from: PubTator, BioC (XML or JSON), Label Studio or "
            "IOB/CoNLL, plain, .gz or .zst; told by its content. Repeat for more.",
            rich_help_panel=_DATA,
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the model to make.")],
    dev: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Gold file to judge by after each epoch. Repeat for more.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    dev_share: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=0.9,
            help="Instead of --dev: share of each train file's documents to set apart, such as "
            "0.1.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    split_seed: Annotated[
        int, typer.Option(help="Which documents --dev-share takes.", rich_help_panel=_DATA)
    ] = 0,
    label_map: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OLD=NEW",
            help="Rename a label of the gold files, as FILE_STEM:OLD=NEW of one file only; an "
            "empty NEW drops it. Labels of well-known corpora are renamed by themselves. Repeat "
            "for more.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    annotates: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STEM=LABEL,LABEL",
            help="All labels that a file's annotators marked; by default those it uses. Only "
            "these does the file teach. Repeat for more.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            help="Learn this label only, after renaming. Repeat for more. (default: all)",
            rich_help_panel=_DATA,
        ),
    ] = None,
    base: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help="What to start from: `bundled`, the folder of an encoder or of BioGPT, or "
            "hub:owner/name@revision.",
        ),
    ] = "bundled",
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Passes over the train texts. (default: 8)", rich_help_panel=_RECIPE
        ),
    ] = None,
    batch_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Tokens of one step. (default: 3072)", rich_help_panel=_RECIPE),
    ] = None,
    encoder_rate: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Highest learning rate of the base. (default: 0.0003)",
            rich_help_panel=_RECIPE,
        ),
    ] = None,
    head_rate: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Highest learning rate of the new head. (default: 0.001)",
            rich_help_panel=_RECIPE,
        ),
    ] = None,
    weight_decay: Annotated[
        float | None,
        typer.Option(min=0.0, help="AdamW's. (default: 0.01)", rich_help_panel=_RECIPE),
    ] = None,
    warmup_share: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=0.9,
            help="Share of the steps in which the rates rise. (default: 0.06)",
            rich_help_panel=_RECIPE,
        ),
    ] = None,
    dropout: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=0.9, help="Of hidden states. (default: 0.1)", rich_help_panel=_RECIPE
        ),
    ] = None,
    average: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=0.99999,
            help="Decay of the weights' running mean, which is kept; 0 keeps the last weights. "
            "(default: 0.998)",
            rich_help_panel=_RECIPE,
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Stop after so many epochs without a better dev F1 and keep the best one's "
            "weights; 0 trains to the end and keeps the last. (default: 0)",
            rich_help_panel=_RECIPE,
        ),
    ] = None,
    lora_rank: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Train low-rank adapters of this rank, for large bases; 0 trains all weights. "
            "(default: 0)",
            rich_help_panel=_RECIPE,
        ),
    ] = None,
    word_case: Annotated[
        bool | None,
        typer.Option(
            "--word-case/--no-word-case",
            help="Tell a lower-casing BERT how words are capitalised. (default: word-case)",
            rich_help_panel=_RECIPE,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Of initial weights, order and dropout. (default: 13)", rich_help_panel=_RECIPE
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Remove the model in --out, or drop another unfinished training beside it.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Say what would be trained on, and how long; write nothing."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Fine-tune a model to find mentions, from gold files.

    The folder it makes is what `charthouse run --model` takes. Each file teaches only the labels it
    annotates, so corpora of different labels can be joined. After an interruption the same
    command goes on from the last checkpoint and ends with the same weights.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

    Example: charthouse train ner --train bc5cdr_train.pubtator.gz --train ncbi_train.pubtator.gz
    --dev bc5cdr_dev.pubtator.gz --base bundled --patience 3 --out models/disease
    """
    if bool(dev) == bool(dev_share):
        raise typer.BadParameter("give either --dev FILE or --dev-share 0.1", param_hint="--dev")
    from flows.training.corpora import DataRequest
    from flows.training.ner import prepare_order

    request = DataRequest(
        tuple(train),
        tuple(dev or ()),
        dev_share or 0.0,
        split_seed,
        tuple(label_map or ()),
        tuple(annotates or ()),
        tuple(label or ()),
    )
    recipe = {
        "epochs": epochs,
        "batch_tokens": batch_tokens,
        "encoder_rate": encoder_rate,
        "head_rate": head_rate,
        "weight_decay": weight_decay,
        "warmup_share": warmup_share,
        "dropout": dropout,
        "average": average,
        "patience": patience,
        "lora_rank": lora_rank,
        "word_case": word_case,
        "seed": seed,
    }
    given = {name: value for name, value in recipe.items() if value is not None}
    with interruption_told(CHECKPOINTS_KEPT):
        order = prepare_order(request, base, given, out, device)
        if dry_run:
            from flows.training.preview import preview

            _print_preview(preview(order, overwrite=overwrite), as_json=as_json)
        else:
            carry_out(order, overwrite=overwrite, as_json=as_json)


def _print_preview(preview: Preview, *, as_json: bool) -> None:
    found = preview.as_dict()
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    console = standard_output()
    table = Table(box=None, header_style="dim")
    for heading in ("", "file", "documents", "mentions of what it annotates"):
        table.add_column(heading, justify="right" if heading == "documents" else "left")
    for role in ("train", "dev"):
        for row in found[role]:
            counts = ", ".join(f"{name} {n:,}" for name, n in row["mentions"].items())
            table.add_row(role, escape(row["file"]), f"{row['documents']:,}", escape(counts))
    console.print(table)
    if found["left_out"]:
        console.print(f"{found['left_out']:,} train texts stand in the dev files too: left out.")
    console.print(f"Labels: {escape(', '.join(found['labels']))}. Base: {escape(found['base'])}.")
    console.print(
        f"{found['windows']:,} windows, about {found['steps_per_epoch']:,} steps an epoch and "
        f"{found['steps']:,} in all."
    )
    print_state(preview.state)
