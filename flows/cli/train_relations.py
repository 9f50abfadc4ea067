"""``charthouse train relations``: gold files with relations to a classifier."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from flows.cli.terminal import standard_output
from flows.processes import Interrupted

if TYPE_CHECKING:
    from flows.training.relations import RelationOrder

EXIT_INTERRUPTED = 130

_RECIPE = "Recipe"
_DATA = "Gold files"


def relations(
    train: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            help="Gold file with relations to learn from: PubTator (CDR's CID rows and the like) "
            "or BioC, plain, .gz or .zst. Repeat for more.",
            rich_help_panel=_DATA,
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the model to make.")],
    dev: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Gold file to judge by after each epoch, and to choose the threshold by. Repeat "
            "for more.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    dev_share: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=0.9,
            help="Instead of --dev: share of the train documents to set apart, such as 0.1.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    split_seed: Annotated[
        int, typer.Option(help="Which documents --dev-share takes.", rich_help_panel=_DATA)
    ] = 0,
    relation: Annotated[
        str | None,
        typer.Option(
            help="Which relation to learn, where the files state several. (default: the only one)",
            rich_help_panel=_DATA,
        ),
    ] = None,
    ontology: Annotated[
        str | None,
        typer.Option(
            metavar="STORE",
            help="Concept store that says which concepts are broader than others: annotators "
            "relate the most specific ones. (default: none)",
            rich_help_panel=_DATA,
        ),
    ] = None,
    base: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help="What to start from: `bundled`, the folder of an encoder of BERT's form, or "
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
        typer.Option(min=1, help="Tokens of one step. (default: 1024)", rich_help_panel=_RECIPE),
    ] = None,
    rank: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Rank of what is changed of the base's matrices. (default: 16)",
            rich_help_panel=_RECIPE,
        ),
    ] = None,
    encoder_rate: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Highest learning rate of these changes. (default: 0.0005)",
            rich_help_panel=_RECIPE,
        ),
    ] = None,
    head_rate: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Highest learning rate of the new head. (default: 0.0005)",
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
            "(default: 0.99)",
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
    seed: Annotated[
        int | None,
        typer.Option(
            help="Of initial weights, order and dropout. (default: 13)", rich_help_panel=_RECIPE
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file of settings: [preprocess] cuts texts into sentences."),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Remove the model in --out, or drop another unfinished training beside it.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be trained on; write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Teach an encoder which concepts of a document are related, from gold files.

    The folder it makes is what `charthouse generate relations --model` and `charthouse evaluate
    relations --model` take. After an interruption the same command goes on from the last
    checkpoint and ends with the same weights.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

    Example: charthouse train relations --train bc5cdr_train.pubtator.gz --dev
    bc5cdr_dev.pubtator.gz --ontology mesh2026 --out models/cid
    """
    if bool(dev) == bool(dev_share):
        raise typer.BadParameter("give either --dev FILE or --dev-share 0.1", param_hint="--dev")
    from flows.settings import load_settings
    from flows.training.relations import RelationRequest, prepare_order

    request = RelationRequest(
        tuple(train), tuple(dev or ()), dev_share or 0.0, split_seed, relation, ontology
    )
    recipe = {
        "epochs": epochs,
        "batch_tokens": batch_tokens,
        "rank": rank,
        "encoder_rate": encoder_rate,
        "head_rate": head_rate,
        "dropout": dropout,
        "average": average,
        "patience": patience,
        "seed": seed,
    }
    given = {name: value for name, value in recipe.items() if value is not None}
    pipeline = load_settings(config, {}).preprocess.pipeline
    try:
        order = prepare_order(request, base, given, out, device, pipeline)
        if dry_run:
            _preview(order, overwrite=overwrite, as_json=as_json)
        else:
            _carry_out(order, overwrite=overwrite, as_json=as_json)
    except (Interrupted, KeyboardInterrupt):
        print(
            "charthouse: interrupted. Checkpoints are kept; run the same command again to go on.",
            file=sys.stderr,
        )
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _carry_out(order: RelationOrder, *, overwrite: bool, as_json: bool) -> None:
    from flows.training.run import execute
    from flows.training.summary import print_summary

    summary = execute(order, overwrite=overwrite, quiet=as_json)
    if as_json:
        print(json.dumps(summary.as_dict(), ensure_ascii=False))
    else:
        print_summary(standard_output(), summary)


def _preview(order: RelationOrder, *, overwrite: bool, as_json: bool) -> None:
    from flows.training.output import check_output, finished_description, goes_on

    is_done = not overwrite and finished_description(order) is not None
    if not is_done:
        check_output(order, overwrite=overwrite)
    described = order.describe()
    found: dict[str, Any] = {
        "out": str(order.out),
        "state": "done" if is_done else "goes on" if goes_on(order) else "new",
        "base": order.base.name,
        "relation": order.recipe.relation,
        "subject_label": order.recipe.subject_label,
        "object_label": order.recipe.object_label,
        "documents": described["documents"],
        "pairs": described["pairs"],
        "left_out": order.left_out,
        "epochs": order.recipe.epochs,
    }
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.print(
        f"{found['relation']}: {found['subject_label']} and {found['object_label']}. "
        f"Base: {found['base']}.",
        markup=False,
    )
    for role in ("train", "dev"):
        documents, pairs = found["documents"][role], found["pairs"][role]
        console.print(f"{role}: {documents:,} documents, {pairs:,} related pairs of concepts")
    if order.left_out:
        console.print(f"{order.left_out:,} train texts stand in the dev files too: left out.")
    if found["state"] == "goes on":
        console.print("A checkpoint waits: the training would go on from it.")
    elif is_done:
        console.print("The model is there already: nothing would be left to do.")
    console.print("Nothing was written: this was a dry run.")
