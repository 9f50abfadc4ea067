"""``charthouse ontology pairs``: a store's names as lessons for a language model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from flows.errors import CharthouseError


def pairs(
    store: Annotated[str, typer.Argument(metavar="STORE", help="A store's folder, or `sample`.")],
    out: Annotated[Path, typer.Option(help="JSON lines to write: prompt, completion.")],
    template: Annotated[
        str | None,
        typer.Option(
            help="What stands around a name, {mention}, as in link.writer_template. (default: that "
            "of --config, else `{mention} means`)"
        ),
    ] = None,
    semantic_type: Annotated[
        list[str] | None,
        typer.Option(help="Only concepts with this type code (C14, T047 ...); repeat for more."),
    ] = None,
    names: Annotated[
        list[Path] | None,
        typer.Option(
            help="Further names, as for `ontology build`: TSV or CSV with concept_id and name."
        ),
    ] = None,
    same: Annotated[
        bool,
        typer.Option(
            help="Also each preferred name completed by itself, so that a model learns names "
            "without synonyms."
        ),
    ] = True,
    config: Annotated[
        Path | None, typer.Option(help="TOML file of settings; its [link] counts here.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Write names and what they mean as prompts and completions, to train a language model on.

    A model that learnt them can find or weigh concepts: `link.writer` in the settings. Each line
    is a name in the template, and the preferred name of its concept:
    {"prompt": "heart attack means", "completion": " Myocardial Infarction"}

    Example: charthouse ontology pairs mesh2026 --out pairs.jsonl
    """
    import polars as pl
    from pydantic import ValidationError

    from flows.evaluating.links import open_named_store
    from flows.settings import load_settings
    from ontologies.errors import OntologyError
    from ontologies.extra import read_extra_names
    from ontologies.problems import Problems
    from ontologies.writing.pairs import name_pairs
    from ontologies.writing.settings import WriterSettings

    settings = load_settings(config, {}).link
    try:
        chosen = WriterSettings(writer_template=template or settings.writer_template)
    except ValidationError as error:
        message = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise typer.BadParameter(message, param_hint="--template") from None
    opened = open_named_store(store)
    try:
        extra = [read_extra_names(path, Problems()) for path in names or ()]
        found = name_pairs(
            opened,
            types=semantic_type or (),
            template=chosen.writer_template,
            same=same,
            extra=pl.concat(extra) if extra else None,
        )
    except OntologyError as error:
        raise CharthouseError(str(error)) from None
    if found.is_empty():
        raise CharthouseError(
            f"store {store}: no names to learn from", "Give another store, or other types"
        )
    try:
        found.select("prompt", "completion").write_ndjson(out)
    except OSError as error:
        raise CharthouseError(
            f"{out} cannot be written ({error.strerror})", "Name another file with --out"
        ) from None
    counts = {"pairs": found.height, "concepts": found["concept_id"].n_unique()}
    if as_json:
        print(json.dumps(counts | {"out": str(out)}))
        return
    print(f"{counts['pairs']:,} pairs of {counts['concepts']:,} concepts in {out}")
    print(opened.release.attribution)
    print(
        f"Train on them: charthouse train lm --train {out} --dev-share 0.05 --base MODEL --lora "
        "--out models/linking"
    )
