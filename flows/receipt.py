"""Staged output of a shard and its receipt: written whole, checked before it is loaded."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import polars as pl

from flows.errors import CharthouseError
from flows.work import (
    file_sha256,
    is_intact,
    make_private,
    remove_tree,
    sync_folder,
    write_durably,
    write_json,
)

RECEIPT = "receipt.json"


class StagingError(CharthouseError):
    """Staged output is missing or not what its receipt says."""


@dataclass(frozen=True)
class Receipt:
    """What a worker hands back for a shard: where its output is and what is in it.

    ``checksums`` maps file name to SHA-256; ``counts`` table name to rows; ``seconds`` stage to
    wall seconds in the worker.
    """

    shard: int
    folder: str
    checksums: dict[str, str]
    counts: dict[str, int]
    seconds: dict[str, float]

    @property
    def path(self) -> Path:
        """The staged folder."""
        return Path(self.folder)

    def file(self, table: str) -> Path:
        """The staged Parquet file of a table."""
        return self.path / f"{table}.parquet"


def stage(
    staged: Path, shard: int, frames: Mapping[str, pl.DataFrame], seconds: Mapping[str, float]
) -> Receipt:
    """Write a shard's frames under a name of this attempt and give the receipt.

    The folder gets its final name only when all files and the receipt in it are on disk.
    """
    make_private(staged)
    attempt = f"{shard:05d}-{uuid.uuid4().hex[:12]}"
    temporary, final = make_private(staged / f".{attempt}.tmp"), staged / attempt
    checksums = {}
    clock = time.perf_counter()
    try:
        for name, frame in frames.items():
            path = temporary / f"{name}.parquet"
            write_durably(path, frame.write_parquet)
            checksums[path.name] = file_sha256(path)
        counts = {name: len(frame) for name, frame in frames.items()}
        spent = {**seconds, "write": time.perf_counter() - clock}
        receipt = Receipt(shard, str(final), checksums, counts, spent)
        write_receipt(temporary / RECEIPT, receipt)
        temporary.rename(final)
        sync_folder(staged)
    finally:
        remove_tree(temporary)
    return receipt


def write_receipt(path: Path, receipt: Receipt) -> None:
    """Write a receipt durably, with a seal that tells if a bit of it has changed since."""
    stated = asdict(receipt)
    write_json(path, stated | {"seal": _seal(stated)})


def read_receipt(path: Path) -> Receipt:
    """Read what :func:`write_receipt` wrote.

    Raises:
        StagingError: it is missing, cut or altered.
    """
    try:
        stated = json.loads(path.read_text("utf-8"))
        if stated.pop("seal") == _seal(stated):
            return Receipt(**stated)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        pass
    raise StagingError(
        "the receipt of a staged shard is missing or damaged",
        "Run the same command again: the shard is annotated anew",
    )


def _seal(stated: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()


def check(receipt: Receipt) -> None:
    """Make sure that the staged files are those of the receipt.

    Raises:
        StagingError: a file is missing, truncated or altered.
    """
    for name, checksum in receipt.checksums.items():
        if not is_intact(receipt.path / name, checksum):
            raise StagingError(
                f"staged output of shard {receipt.shard} is damaged ({name})",
                "Run the same command again: the shard is annotated anew",
            )


def rooted(receipt: Receipt, staged: Path) -> Receipt:
    """The receipt of a folder in ``staged``, whatever path it states.

    A receipt is a file in the work folder, and a worker may see that folder under another path.
    So only the folder's name is taken from it, and nothing outside ``staged`` is ever read.

    Raises:
        StagingError: a name in it is none, or a name there leads elsewhere.
    """
    name = Path(receipt.folder).name
    here = replace(receipt, folder=str(staged / name))
    files = [here.path, *here.path.glob("*")]
    plain = all(Path(file).name == file and file != ".." for file in receipt.checksums)
    if name in {"", ".."} or not plain or any(file.is_symlink() for file in files):
        raise StagingError(
            f"staged output of shard {receipt.shard} lies outside the work folder",
            "Find out who writes there, remove the work folder and run the same command again",
        )
    return here


def finished_receipts(staged: Path) -> dict[int, Receipt]:
    """Receipts of shards that were annotated but not loaded before a run ended, by shard number.

    Leftovers of unfinished attempts, and output that fails its check, are removed.
    """
    found: dict[int, Receipt] = {}
    for folder in sorted(staged.glob("*")) if staged.is_dir() else []:
        try:
            stated = read_receipt(folder / RECEIPT)
            receipt = rooted(replace(stated, folder=str(folder)), staged)
            check(receipt)
        except (OSError, StagingError):
            remove_tree(folder)
            continue
        if receipt.shard in found:
            remove_tree(folder)
        else:
            found[receipt.shard] = receipt
    return found
