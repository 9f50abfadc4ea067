"""What a worker process does with a shard of documents. Models are loaded once per process."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from flows.deidentifying import annotate_deidentified
from flows.order import Order
from flows.receipt import Receipt, stage
from flows.worker import ShardFailed, ShardTask, on_shard
from nlp.settings import AnnotationSettings

if TYPE_CHECKING:
    from nlp.annotate import Annotations, Annotator
    from nlp.privacy.deidentify import Deidentifier

REJECT_SCHEMA = {
    "path": pl.String,
    "ordinal": pl.Int64,
    "reason": pl.String,
    "document_id": pl.String,
}


@lru_cache(maxsize=1)
def _annotator(settings: str, annotation_id: str) -> Annotator:
    """The loaded models. Workers of a cluster serve many runs and keep them as long as they fit."""
    from nlp.annotate import Annotator

    return Annotator(AnnotationSettings.model_validate_json(settings))


def _annotator_of(order: Order) -> Annotator:
    """The models of an order, loaded once per process.

    Raises:
        ShardFailed: this machine has other models, rules or versions than the run was begun with.
    """
    expected = order.annotation.annotation_id
    annotator = _annotator(order.settings.annotation.model_dump_json(), expected)
    if annotator.identity.annotation_id != expected:
        _annotator.cache_clear()
        raise ShardFailed(
            "this worker has other models, dictionaries, versions or another secret of privacy "
            "than the run was begun with",
            "Give every worker the same files under the same paths, the same secret, and the same "
            "charthouse",
        )
    return annotator


@lru_cache(maxsize=1)
def _deidentifier(settings: str, annotation_id: str) -> Deidentifier:
    """What replaces identifiers, loaded once per process."""
    from nlp.ner.device import choose_device
    from nlp.privacy.deidentify import Deidentifier

    chosen = AnnotationSettings.model_validate_json(settings)
    return Deidentifier(chosen.privacy, choose_device(chosen.ner.device, chosen.ner.precision))


def annotate_shard_file(
    root: str, run_id: str, shard: int, checksum: str, one_by_one: bool = False
) -> Receipt:
    """Annotate a shard file and stage the result.

    Args:
        root: the warehouse's work folder, or the URL of shared storage.
        run_id: the run.
        shard: the shard's number.
        checksum: SHA-256 the plan gives the shard file.
        one_by_one: take each document by itself, so that the counter of a worker that dies
            tells which one it died of.

    Raises:
        ShardFailed: the shard file is damaged, or models or disk failed; documents that fail
            are rejects instead. A worker that hangs ends its process.
    """

    def carry_out(task: ShardTask) -> Receipt:
        annotations = _annotate(task, one_by_one=one_by_one)
        return stage(task.staged, task.number, *staged_output(task.rows, annotations))

    return on_shard(root, run_id, shard, checksum, carry_out)


def _annotate(task: ShardTask, *, one_by_one: bool) -> Annotations:
    order = task.order
    annotator = _annotator_of(order)
    task.progress(0)
    if not order.settings.privacy.is_on:
        return annotator.annotate(task.rows, task.progress, one_by_one=one_by_one)
    return annotate_deidentified(
        task.rows,
        _deidentifier(order.settings.annotation.model_dump_json(), order.annotation.annotation_id),
        annotator,
        order.settings.privacy,
        task.progress,
        one_by_one=one_by_one,
    )


def staged_output(
    documents: pl.DataFrame, annotations: Annotations
) -> tuple[dict[str, pl.DataFrame], dict[str, float]]:
    """What is staged of a shard: frames by name, with its rejects, and seconds by stage."""
    rejects = [
        {
            **documents.select("path", "ordinal", "document_id").row(r.row, named=True),
            "reason": r.reason,
        }
        for r in annotations.rejects
    ]
    frames = annotations.frames | {"rejects": pl.DataFrame(rejects, schema=REJECT_SCHEMA)}
    return frames, annotations.seconds
