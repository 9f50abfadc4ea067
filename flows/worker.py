"""What a worker process does with a shard. Models are loaded once per process."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from flows.bundled import SAMPLE, store_folder
from flows.deidentifying import annotate_deidentified
from flows.disk import worker_storage_error
from flows.errors import CharthouseError, kind_and_place
from flows.order import LinkTarget, Order, load_order
from flows.processes import die_with_parent
from flows.receipt import Receipt, stage
from flows.stalls import stall_limit, watchdog
from flows.work import WorkFolder, is_intact, make_private
from flows.workplace import workplace
from nlp.errors import UNUSABLE
from nlp.settings import AnnotationSettings
from ontologies.errors import OntologyError
from ontologies.linker import link_names, linkset_id
from ontologies.schema import NAME_LINKS
from ontologies.store import ConceptStore, open_store

if TYPE_CHECKING:
    from nlp.annotate import Annotations, Annotator
    from nlp.privacy.deidentify import Deidentifier

REJECT_SCHEMA = {
    "path": pl.String,
    "ordinal": pl.Int64,
    "reason": pl.String,
    "document_id": pl.String,
}


class ShardFailed(CharthouseError):
    """A shard could not be annotated. Says where in the code; never what was in the text."""


def damaged_shard(shard: int) -> ShardFailed:
    """The error of a shard file that is missing or altered."""
    return ShardFailed(
        f"shard {shard}: its file in the work folder is missing or damaged",
        "Run the same command again: what is left is planned anew",
    )


def start_worker(parent: int) -> None:
    """Initialise a pool worker: dies with the run, leaves Ctrl-C to it, computes on one thread."""
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    compute_on_one_thread()


@lru_cache(maxsize=1)
def compute_on_one_thread() -> None:
    """Many workers share the cores: each of them computes on one thread."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    import torch

    torch.set_num_threads(1)


ONE_TASK = threading.Lock()
"""A Dask worker may have several threads; models and watchdog serve one of them at a time."""


@lru_cache(maxsize=1)
def _order(path: str, mtime: int) -> Order:
    return load_order(Path(path))


def order_in(work: WorkFolder) -> Order:
    """The order; it may name many files, so it is parsed once."""
    return _order(str(work.order), work.order.stat().st_mtime_ns)


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


@lru_cache(maxsize=4)
def _open_store(path: str, release_id: str) -> ConceptStore:
    return open_store(Path(path))


def _store_of(target: LinkTarget) -> ConceptStore:
    """An ontology's store, opened once per process.

    Raises:
        ShardFailed: this machine has another release there.
    """
    path = store_folder(SAMPLE) if target.name == SAMPLE else target.store
    store = _open_store(str(path), target.release_id)
    if store.release.release_id != target.release_id:
        _open_store.cache_clear()
        raise ShardFailed(
            "this worker has another release of an ontology than the run was begun with",
            "Give every worker the same store under the same path",
        )
    return store


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
    with errors_told(f"shard {shard}"), ONE_TASK, workplace(root, run_id) as place:
        compute_on_one_thread()
        place.fetch(place.work.shard(run_id, shard), checksum)
        receipt = _annotate(place.work, run_id, shard, checksum, one_by_one=one_by_one)
        return place.hand_back(receipt)


def _annotate(
    work: WorkFolder, run_id: str, shard: int, checksum: str, *, one_by_one: bool
) -> Receipt:
    path = work.shard(run_id, shard)
    if not is_intact(path, checksum):
        raise damaged_shard(shard)
    order = order_in(work)
    documents = pl.read_parquet(path)
    limit = stall_limit(order.settings.execution.stall_seconds, longest(documents))
    make_private(work.progress(run_id))
    counter = work.counter(run_id, shard)
    with watchdog(work.stalled(run_id, shard), limit) as alive:
        annotator = _annotator_of(order)

        def progress(done: int) -> None:
            counter.write_text(str(done), encoding="ascii")
            alive()

        progress(0)
        if order.settings.privacy.is_on:
            annotations = annotate_deidentified(
                documents,
                _deidentifier(
                    order.settings.annotation.model_dump_json(), order.annotation.annotation_id
                ),
                annotator,
                order.settings.privacy,
                progress,
                one_by_one=one_by_one,
            )
        else:
            annotations = annotator.annotate(documents, progress, one_by_one=one_by_one)
        return stage(work.staged(run_id), shard, *staged_output(documents, annotations))


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


def longest(documents: pl.DataFrame) -> int:
    """Characters of the longest document of a shard."""
    return int(documents["characters"].max() or 0)  # type: ignore[arg-type]


def link_names_file(
    root: str, run_id: str, target: int, chunk: int, checksum: str, watched: bool = False
) -> Receipt:
    """Link a chunk of distinct names and stage the result.

    Args:
        root: the warehouse's work folder, or the URL of shared storage.
        run_id: the run.
        target: index of the ontology in the order.
        chunk: number of the names file.
        checksum: SHA-256 of the names file.
        watched: end this process if it hangs; not for the main process.

    Raises:
        ShardFailed: the store or the disk failed.
    """
    try:
        with ONE_TASK, workplace(root, run_id) as place:
            work, path = place.work, names_file(place.work, run_id, target, chunk)
            place.fetch(path, checksum)
            order = order_in(work)
            report = make_private(work.progress(run_id)) / f"{target}-{chunk:05d}.stalled"
            seconds = order.settings.execution.stall_seconds
            with watchdog(report, seconds) if watched else nullcontext():
                store = _store_of(order.targets[target])
                _check_linkset(order, target)
                links = link_names(store, pl.read_parquet(path), order.settings.link)
                receipt = stage(work.linked(run_id), chunk, {NAME_LINKS.name: links}, {})
            return place.hand_back(receipt)
    except CharthouseError:
        raise
    except OntologyError as error:
        raise ShardFailed(f"linking, chunk {chunk}: {error}") from None  # written without text
    except Exception as error:
        raise _failure(f"linking, chunk {chunk}", error) from None


@contextmanager
def errors_told(what: str) -> Iterator[None]:
    """Within the block an error becomes one that the main process may be told: without text.

    Raises:
        CharthouseError: whatever went wrong.
    """
    try:
        yield
    except CharthouseError:
        raise
    except UNUSABLE as error:
        raise ShardFailed(f"{what}: {error}") from None  # written without text
    except Exception as error:
        raise _failure(what, error) from None


def _check_linkset(order: Order, target: int) -> None:
    """Refuse a machine where an encoder or a language model is another one.

    Raises:
        ShardFailed: it is.
    """
    expected = order.targets[target]
    if linkset_id(expected.release_id, order.settings.link) != expected.linkset_id:
        raise ShardFailed(
            "this worker has another encoder or language model than the run was begun with",
            "Give every worker the same folders of models under the same paths",
        )


def _failure(what: str, error: Exception) -> CharthouseError:
    """What the main process is told: a message and its chain may quote text, so only their kind."""
    return worker_storage_error(what, error) or ShardFailed(f"{what}: {kind_and_place(error)}")


def names_file(work: WorkFolder, run_id: str, target: int, chunk: int) -> Path:
    """The file of names that a linking task reads."""
    return work.run(run_id) / "names" / f"{target}-{chunk:05d}.parquet"
