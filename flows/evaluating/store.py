"""Scores kept in a warehouse, beside the tables they say something about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from flows.evaluating.evaluation import Evaluation
from flows.schema import EVALUATIONS
from flows.warehouse.access import access_of
from flows.warehouse.connection import open_warehouse, transaction
from flows.warehouse.load import insert


def store_evaluation(warehouse: Path, evaluation: Evaluation) -> int:
    """Add an evaluation's scores to the table ``evaluations``; returns the number of rows.

    The warehouse is made where there is none.

    Raises:
        WarehouseError: another process holds it, or the file is no warehouse of this schema.
    """
    frame = EVALUATIONS.conform(
        pl.DataFrame(list(_rows(evaluation)), schema=EVALUATIONS.schema, orient="row")
    )
    access = access_of(evaluation.request.settings.warehouse)
    with open_warehouse(warehouse, access) as connection, transaction(connection):
        connection.register("scores", frame.to_arrow())
        insert(connection, EVALUATIONS, "scores")
        connection.unregister("scores")
    return len(frame)


def _rows(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    common = {
        "evaluation_id": evaluation.request.evaluation_id,
        "task": evaluation.task,
        "models": [model.name for model in evaluation.models],
        "model_fingerprints": [model.fingerprint for model in evaluation.models],
        "annotation_id": evaluation.annotation.annotation_id if evaluation.annotation else None,
        "linkset_id": evaluation.linkset_id,
        "release_id": evaluation.release.release_id if evaluation.release else None,
        "evaluated_at": evaluation.evaluated_at,
        "run_id": evaluation.run_id,
    }
    for judgement in evaluation.corpora:
        settings = evaluation.request.described()
        if judgement.drawn is not None:
            settings["sample"] = judgement.drawn.described()
        for score in judgement.scores:
            yield common | {
                "corpus": judgement.corpus,
                "corpus_sha256": judgement.sha256,
                "documents": judgement.documents,
                "settings": json.dumps(settings, sort_keys=True, ensure_ascii=False),
                "scope": score.scope,
                "label": score.label,
                "measure": score.measure,
                "value": score.value,
                "low": score.low,
                "high": score.high,
                "gold": score.gold,
                "found": score.found,
                "agreed": score.agreed,
            }
