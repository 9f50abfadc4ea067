"""What orchestration costs beside the work, from a run's marks, log and samples.

Work is reading and planning, annotating a shard (reading its file, sentences, NER, staging its
rows), loading and linking. Orchestration is the rest of the annotate stage: Prefect in the main
process, in its server and around the task in the worker; handing over, receipts, progress.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from scaling.measure import Measured


@dataclass(frozen=True)
class Overhead:
    """Seconds a shard; ``annotate`` is what the model needs for one of the default size.

    Attributes:
        main, server, worker: CPU of orchestration in the main process, in Prefect's server and in
            the worker outside of its work.
        gap: wall seconds a worker waits between two shards, on average.
        annotate: CPU and wall seconds of annotating a shard on one worker's thread.
    """

    main: float
    server: float
    worker: float
    gap: float
    annotate: float

    @property
    def cpu(self) -> float:
        """CPU seconds of orchestration a shard."""
        return self.main + self.server + self.worker

    @property
    def cpu_share(self) -> float:
        """Of a run's CPU that goes into annotating and what surrounds it."""
        return self.cpu / (self.cpu + self.annotate)


def overhead(run: Measured, seconds_a_shard: float) -> Overhead:
    """Orchestration of a run with the stand-in, beside so many seconds of real annotation."""
    stage, shards = run.span("annotate"), max(len(run.shard_log), 1)
    inside = sum(entry["cpu"] for entry in run.shard_log)
    workers = run.watched.of_role("worker", stage.begin, stage.end)
    return Overhead(
        main=max(0.0, stage.cpu - run.span("load").cpu) / shards,
        server=run.watched.of_role("server", stage.begin, stage.end) / shards,
        worker=max(0.0, workers - run.worker_start - inside) / shards,
        gap=mean_gap(run),
        annotate=seconds_a_shard,
    )


def mean_gap(run: Measured) -> float:
    """Seconds between the end of a worker's shard and the begin of its next, on average."""
    by_worker: dict[float, list[tuple[float, float]]] = {}
    for entry in run.shard_log:
        by_worker.setdefault(entry["worker"], []).append((entry["began"], entry["ended"]))
    gaps = [
        later[0] - earlier[1]
        for shards in map(sorted, by_worker.values())
        for earlier, later in pairwise(shards)
    ]
    return sum(gaps) / len(gaps) if gaps else 0.0
