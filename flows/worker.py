"""What a worker process does with a shard. Models are loaded once per process."""

from __future__ import annotations

import os
import signal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from flows.errors import CharthouseError, kind_and_place
from flows.order import Order, load_order
from flows.processes import die_with_parent
from flows.receipt import Receipt, stage
from flows.work import WorkFolder, is_intact, make_private
from nlp.dictionary import DictionaryError
from nlp.ner.errors import DeviceError, ModelError
from nlp.preprocess import PreprocessError
from ontologies.linker import link_names
from ontologies.schema import NAME_LINKS
from ontologies.store import ConceptStore, open_store

if TYPE_CHECKING:
    from nlp.annotate import Annotator

REJECT_SCHEMA = {
    "path": pl.String,
    "ordinal": pl.Int64,
    "reason": pl.String,
    "document_id": pl.String,
}


class ShardFailed(CharthouseError):
    """A shard could not be annotated. Says where in the code; never what was in the text."""


def start_worker(parent: int) -> None:
    """Initialise a pool worker: dies with the run, leaves Ctrl-C to it, computes on one thread."""
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    import torch

    torch.set_num_threads(1)


@lru_cache(maxsize=1)
def _order(path: str, mtime: int) -> Order:
    return load_order(Path(path))


@lru_cache(maxsize=1)
def _annotator(path: str, mtime: int) -> Annotator:
    from nlp.annotate import Annotator

    return Annotator(_order(path, mtime).settings.annotation)


@lru_cache(maxsize=4)
def _store(path: str) -> ConceptStore:
    return open_store(Path(path))


def annotate_shard_file(root: str, run_id: str, shard: int, checksum: str) -> Receipt:
    """Annotate a shard file and stage the result.

    Args:
        root: the warehouse's work folder.
        run_id: the run.
        shard: the shard's number.
        checksum: SHA-256 the plan gives the shard file.

    Raises:
        ShardFailed: the shard file is damaged, or models or disk failed; documents that fail
            are rejects instead.
    """
    work = WorkFolder(Path(root))
    try:
        return _annotate(work, run_id, shard, checksum)
    except CharthouseError:
        raise
    except (ModelError, DeviceError, PreprocessError, DictionaryError) as error:
        raise ShardFailed(f"shard {shard}: {error}") from None  # written without text
    except Exception as error:
        # The message and its chain may quote text: only kind and place go on.
        raise ShardFailed(f"shard {shard}: {kind_and_place(error)}") from None


def _annotate(work: WorkFolder, run_id: str, shard: int, checksum: str) -> Receipt:
    path = work.shard(run_id, shard)
    if not is_intact(path, checksum):
        raise ShardFailed(
            f"shard {shard}: its file in the work folder is missing or damaged",
            "Remove the work folder and run the same command again",
        )
    annotator = _annotator(str(work.order), work.order.stat().st_mtime_ns)
    documents = pl.read_parquet(path)
    counter = make_private(work.progress(run_id)) / f"{shard:05d}"
    annotations = annotator.annotate(documents, progress=lambda done: _write_count(counter, done))
    rejects = [
        {
            **documents.select("path", "ordinal", "document_id").row(r.row, named=True),
            "reason": r.reason,
        }
        for r in annotations.rejects
    ]
    frames = annotations.frames | {"rejects": pl.DataFrame(rejects, schema=REJECT_SCHEMA)}
    return stage(work.staged(run_id), shard, frames, annotations.seconds)


def link_names_file(root: str, run_id: str, target: int, chunk: int) -> Receipt:
    """Link a chunk of distinct names and stage the result.

    Args:
        root: the warehouse's work folder.
        run_id: the run.
        target: index of the ontology in the order.
        chunk: number of the names file.

    Raises:
        ShardFailed: the store or the disk failed.
    """
    work = WorkFolder(Path(root))
    try:
        order = _order(str(work.order), work.order.stat().st_mtime_ns)
        names = pl.read_parquet(names_file(work, run_id, target, chunk))
        store = _store(str(order.targets[target].store))
        links = link_names(store, names, order.settings.link)
        return stage(work.linked(run_id), chunk, {NAME_LINKS.name: links}, {})
    except Exception as error:
        raise ShardFailed(f"linking, chunk {chunk}: {kind_and_place(error)}") from None


def names_file(work: WorkFolder, run_id: str, target: int, chunk: int) -> Path:
    """The file of names that a linking task reads."""
    return work.run(run_id) / "names" / f"{target}-{chunk:05d}.parquet"


def _write_count(path: Path, done: int) -> None:
    path.write_text(str(done), encoding="ascii")
