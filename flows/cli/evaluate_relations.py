"""``charthouse evaluate relations``: related concepts against gold files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli import evaluate
from flows.cli.evaluate import (
    AsJson,
    Config,
    Device,
    LabelMap,
    Limit,
    Predictions,
    Resamples,
    Seed,
    UsePrefect,
    Warehouse,
)


def relations(
    gold: Annotated[
        list[Path],
        typer.Argument(
            metavar="GOLD...",
            help="Gold files with relations: PubTator (CDR's CID rows and the like) or BioC, "
            "plain, .gz or .zst. Each is judged by itself.",
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            help="`bundled`, a relation classifier's folder or hub:owner/name@revision, or a "
            "causal model that writes relations as sentences. (default: bundled)"
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Least probability. (default: the model's own)"),
    ] = None,
    ontology: Annotated[
        str | None,
        typer.Option(
            metavar="STORE",
            help="Concept store that says which concepts are broader than others, as a warehouse "
            "knows by itself; or `sample`.",
        ),
    ] = None,
    from_warehouse: Annotated[
        Path | None,
        typer.Option(
            metavar="W.duckdb",
            help="Judge the relations of a warehouse, of the mentions and concepts that it found, "
            "instead of relating gold mentions now.",
        ),
    ] = None,
    generation_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Which relations of that warehouse. (default: the latest)"),
    ] = None,
    label_map: LabelMap = None,
    limit: Limit = None,
    config: Config = None,
    device: Device = None,
    prefect: UsePrefect = None,
    resamples: Resamples = 1000,
    seed: Seed = 0,
    predictions: Predictions = None,
    warehouse: Warehouse = None,
    as_json: AsJson = False,
) -> None:
    """Judge relations by document: precision, recall and F1 of distinct pairs of concepts.

    As in BioCreative V, a document's set of (chemical, disease) pairs counts. Two simple rules are
    judged beside, by the same mentions: every pair of concepts, and every pair of one sentence.

    Example: charthouse evaluate relations bc5cdr_dev.pubtator.gz
    """
    if from_warehouse is not None and (model or ontology or threshold is not None):
        raise typer.BadParameter(
            "a warehouse has its own model, ontology and threshold: give one of the two",
            param_hint="--from-warehouse",
        )
    if generation_id is not None and from_warehouse is None:
        raise typer.BadParameter("needs --from-warehouse", param_hint="--generation-id")
    chosen = {"model": model, "threshold": threshold}
    request = evaluate.request_of(
        gold,
        config,
        relations={name: value for name, value in chosen.items() if value is not None},
        generation={"device": device} if device else {},
        label_map=tuple(label_map or ()),
        limit=limit,
        resamples=resamples,
        seed=seed,
        ontology=ontology,
        from_warehouse=from_warehouse,
        generation_id=generation_id,
    )
    evaluate.carry_out("relations", request, prefect, predictions, warehouse, as_json=as_json)
