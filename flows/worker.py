"""What worker processes of every kind share: how they start, take a shard, and tell of errors."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl

from flows.disk import worker_storage_error
from flows.errors import CharthouseError, kind_and_place
from flows.order import Order, load_order
from flows.processes import die_with_parent
from flows.receipt import Receipt
from flows.stalls import stall_limit, watchdog
from flows.work import WorkFolder, is_intact, make_private
from flows.workplace import workplace
from nlp.errors import UNUSABLE


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


@dataclass(frozen=True)
class ShardTask:
    """A shard in the hands of a worker.

    Attributes:
        staged: folder that its output goes to.
        number: the shard's.
        order: what is to be done.
        rows: of the shard file.
        progress: to be told how many rows are done; a worker that does not for too long ends.
    """

    staged: Path
    number: int
    order: Order
    rows: pl.DataFrame
    progress: Callable[[int], None]


def on_shard(
    root: str, run_id: str, shard: int, checksum: str, carry_out: Callable[[ShardTask], Receipt]
) -> Receipt:
    """Take a shard file, work on it, and hand back what was staged.

    Args:
        root: the warehouse's work folder, or the URL of shared storage.
        run_id: the run.
        shard: the shard's number.
        checksum: SHA-256 the plan gives the shard file.
        carry_out: works on the shard and stages the result.

    Raises:
        ShardFailed: the shard file is damaged, or models or disk failed. A worker that hangs ends
            its process.
    """
    with errors_told(f"shard {shard}", UNUSABLE), ONE_TASK, workplace(root, run_id) as place:
        compute_on_one_thread()
        work, path = place.work, place.work.shard(run_id, shard)
        place.fetch(path, checksum)
        if not is_intact(path, checksum):
            raise damaged_shard(shard)
        order = order_in(work)
        rows = pl.read_parquet(path)
        limit = stall_limit(order.settings.execution.stall_seconds, longest(rows))
        make_private(work.progress(run_id))
        counter = work.counter(run_id, shard)
        with watchdog(work.stalled(run_id, shard), limit) as alive:

            def progress(done: int) -> None:
                counter.write_text(str(done), encoding="ascii")
                alive()

            receipt = carry_out(ShardTask(work.staged(run_id), shard, order, rows, progress))
        return place.hand_back(receipt)


def longest(rows: pl.DataFrame) -> int:
    """Characters of the longest document or item of a shard."""
    return int(rows["characters"].max() or 0)  # type: ignore[arg-type]


@contextmanager
def errors_told(what: str, told: tuple[type[Exception], ...]) -> Iterator[None]:
    """Within the block an error becomes one that the main process may be told: without text.

    Args:
        what: was worked on.
        told: errors whose words never hold text.

    Raises:
        CharthouseError: whatever went wrong.
    """
    try:
        yield
    except CharthouseError:
        raise
    except told as error:
        raise ShardFailed(f"{what}: {error}") from None
    except Exception as error:
        raise _failure(what, error) from None


def _failure(what: str, error: Exception) -> CharthouseError:
    """What the main process is told: a message and its chain may quote text, so only their kind."""
    return worker_storage_error(what, error) or ShardFailed(f"{what}: {kind_and_place(error)}")
