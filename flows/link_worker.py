"""What a worker process does with a chunk of names. Stores are opened once per process."""

from __future__ import annotations

from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path

import polars as pl

from flows.bundled import SAMPLE, store_folder
from flows.order import LinkTarget, Order
from flows.receipt import Receipt, stage
from flows.stalls import watchdog
from flows.work import WorkFolder, make_private
from flows.worker import ONE_TASK, ShardFailed, errors_told, order_in
from flows.workplace import workplace
from ontologies.errors import OntologyError
from ontologies.linker import link_names, linkset_id
from ontologies.schema import NAME_LINKS
from ontologies.store import ConceptStore, open_store


def names_file(work: WorkFolder, run_id: str, target: int, chunk: int) -> Path:
    """The file of names that a linking task reads."""
    return work.run(run_id) / "names" / f"{target}-{chunk:05d}.parquet"


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
    what = f"linking, chunk {chunk}"
    with errors_told(what, (OntologyError,)), ONE_TASK, workplace(root, run_id) as place:
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
