"""Encode the names of a store: what ``ontologies/dense.py`` searches.

Imports torch; import it where it is used.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ontologies.dense import (
    MANIFEST_FILE,
    VECTORS_FILE,
    DenseIndex,
    DenseInfo,
    dense_folder,
    form_count,
    form_texts,
    open_dense,
)
from ontologies.encoder import NameEncoder
from ontologies.errors import OntologyError
from ontologies.replacing import sync
from ontologies.store import ConceptStore

CHUNK = 16_384
"""Names between two points that an interrupted encoding goes on from."""

_PROGRESS_FILE = "progress.json"


def encode_store(
    store: ConceptStore,
    encoder: NameEncoder,
    *,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> DenseIndex:
    """Encode the store's distinct normal forms and keep the vectors beside its index.

    Vectors are written beside their place, synced chunk by chunk, and renamed when all are there.
    An interrupted encoding goes on after the last whole chunk and ends with the same vectors; what
    is encoded already is only opened.

    Args:
        store: an open store, in a folder that can be written.
        encoder: a loaded encoder.
        report: receives names done and names in all, at first and after each chunk.

    Raises:
        OntologyError: another process is encoding the store with the same encoder.
        OSError: the folder cannot be written.
    """
    info = DenseInfo(
        encoder=encoder.source.name,
        pooling=encoder.source.pooling,
        fingerprint=encoder.fingerprint,
        dimension=encoder.dimension,
        rows=form_count(store),
        release_id=store.release.release_id,
    )
    folder = dense_folder(store.path, encoder.fingerprint)
    if not _is_whole(store, info):
        with _unfinished(folder) as beside:
            if not _is_whole(store, info):  # another process may have ended meanwhile
                _encode(store, encoder, info, beside, report)
                if folder.exists():
                    shutil.rmtree(folder)
                beside.rename(folder)
                sync(folder.parent)
    return open_dense(store, encoder.fingerprint, encoder.source.name)


def _encode(
    store: ConceptStore,
    encoder: NameEncoder,
    info: DenseInfo,
    folder: Path,
    report: Callable[[int, int], None],
) -> None:
    file, progress = folder / VECTORS_FILE, folder / _PROGRESS_FILE
    done = _done(progress, info)
    if not done:
        np.save(file, np.empty((0, info.dimension), dtype=np.float16), allow_pickle=False)
    if info.rows:  # an array of no elements cannot be mapped
        shape = None if done else (info.rows, info.dimension)
        vectors = np.lib.format.open_memmap(  # type: ignore[no-untyped-call]
            file, mode="r+" if done else "w+", dtype=np.float16, shape=shape
        )
        report(done, info.rows)
        for start in range(done, info.rows, CHUNK):
            end = min(start + CHUNK, info.rows)
            vectors[start:end] = encoder.encode(form_texts(store, start, end))
            vectors.flush()
            _write_json(progress, {"done": end, "info": asdict(info)})
            report(end, info.rows)
    progress.unlink(missing_ok=True)
    _write_json(folder / MANIFEST_FILE, asdict(info))
    sync(file)
    sync(folder)


def _done(progress: Path, info: DenseInfo) -> int:
    """Names that an interrupted encoding of the same kind has written."""
    try:
        said = json.loads(progress.read_bytes())
        return int(said["done"]) if said["info"] == asdict(info) else 0
    except (OSError, ValueError, TypeError, KeyError):
        return 0


def _is_whole(store: ConceptStore, info: DenseInfo) -> bool:
    try:
        open_dense(store, info.fingerprint)
    except OntologyError:
        return False
    return True


@contextmanager
def _unfinished(folder: Path) -> Iterator[Path]:
    """The folder beside ``folder`` to write to; locked, and kept if the writing is interrupted."""
    beside = folder.with_name(f".{folder.name}.encoding")
    beside.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(beside, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield beside
    except BlockingIOError:
        raise OntologyError(
            f"{folder.parent.parent}: another process is encoding it; wait for it to end"
        ) from None
    finally:
        os.close(descriptor)


def _write_json(file: Path, content: dict[str, Any]) -> None:
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    sync(temporary)
    temporary.replace(file)
