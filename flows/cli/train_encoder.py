"""``charthouse train encoder``: synonyms of concept stores to a name encoder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.exits import interruption_told

_NAMES = "Names"
_RECIPE = "Recipe"


def encoder(
    stores: Annotated[
        list[str],
        typer.Argument(
            metavar="STORE...", help="Concept stores whose synonyms are learnt, or `sample`."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the encoder to make.")],
    base: Annotated[
        str,
        typer.Option(
            metavar="ENCODER",
            help="What to start from: `minilm`, a folder, or hub:owner/name@revision.",
        ),
    ] = "minilm",
    pooling: Annotated[
        str | None,
        typer.Option(help="mean or cls. (default: what the base says, else mean)"),
    ] = None,
    semantic_type: Annotated[
        list[str] | None,
        typer.Option(
            help="Only concepts of this type (C, D03, T047 ...); repeat for more. (default: all)",
            rich_help_panel=_NAMES,
        ),
    ] = None,
    names: Annotated[
        list[Path] | None,
        typer.Option(
            help="Further names: TSV or CSV with the columns concept_id and name. Repeat for more.",
            rich_help_panel=_NAMES,
        ),
    ] = None,
    held_out: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Names set apart to judge by; 0 learns all. (default: 1000)",
            rich_help_panel=_NAMES,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Passes over the pairs. (default: 1)", rich_help_panel=_RECIPE),
    ] = None,
    batch_pairs: Annotated[
        int | None,
        typer.Option(
            min=2, help="Pairs of names in a step. (default: 256)", rich_help_panel=_RECIPE
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Highest learning rate; encoders of BERT size want 0.00002. (default: 0.0001)",
            rich_help_panel=_RECIPE,
        ),
    ] = None,
    base_share: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Share of the base's weights in those that are saved. (default: 0.5)",
            rich_help_panel=_RECIPE,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Of pairs, order and dropout. (default: 13)", rich_help_panel=_RECIPE),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace the encoder in --out, and drop another unfinished training beside it.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Fine-tune a sentence encoder so that names of the same concept lie close together.

    SapBERT's recipe. The folder it makes is what `charthouse ontology encode --encoder` takes.
    After an interruption the same command goes on from the last checkpoint.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

    Example: charthouse train encoder mesh2026 --base minilm --out models/encoder
    """
    if pooling not in (None, "mean", "cls"):
        raise typer.BadParameter("give mean or cls", param_hint="--pooling")
    from flows.training.encoder import EncoderOrder, execute

    recipe = {
        "held_out": held_out,
        "epochs": epochs,
        "batch_pairs": batch_pairs,
        "rate": rate,
        "base_share": base_share,
        "seed": seed,
    }
    order = EncoderOrder(
        stores=tuple(stores),
        types=tuple(semantic_type or ()),
        names=tuple(names or ()),
        base=base,
        pooling=pooling,  # type: ignore[arg-type]
        recipe={name: value for name, value in recipe.items() if value is not None},
        out=out,
        device=device,
    )
    with interruption_told("The last checkpoint is kept; run the same command again to go on."):
        trained = execute(order, overwrite=overwrite, quiet=as_json)
    if as_json:
        print(json.dumps({"out": str(out), **asdict(trained)}))
        return
    print(
        f"Learnt from {trained.pairs:,} pairs among {trained.names:,} names of "
        f"{trained.concepts:,} concepts."
    )
    if trained.held_out:
        print(
            f"Of {trained.held_out:,} names held back {trained.after:.1%} find their concept by "
            f"their nearest name; {trained.before:.1%} with the base."
        )
    print(f"Use it: charthouse ontology encode {stores[0]} --encoder {out}")
