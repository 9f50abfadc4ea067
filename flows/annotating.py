"""The annotate stage: planned shards through the pool and into the warehouse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from flows.dispatch import Pending, Pool, dispatch
from flows.processes import STOP
from flows.receipt import Receipt, finished_receipts
from flows.session import Session
from flows.warehouse import runs
from flows.warehouse.load import load_shard
from flows.warehouse.runs import PlannedShard
from flows.work import remove_tree
from flows.worker import ShardFailed

SHARDS_PER_WAVE = 2_000
"""Prefect keeps a row per task run: one flow run takes so many shards, the next follows."""

AHEAD = 2
"""Shards beyond the number of workers that may wait, annotated or about to be, for the writer."""

Submit = Callable[[PlannedShard], Pending]
RunWave = Callable[[Sequence[PlannedShard], int], list[PlannedShard]]


class AnnotateStage:
    """Counts what is done while shards go through the pool and into the warehouse."""

    def __init__(self, session: Session) -> None:
        """Prepare the stage; shards that were staged before an interruption are loaded at once."""
        self._session = session
        self._counters = session.work.progress(session.run_id)
        remove_tree(self._counters)
        self._documents = 0
        shards = self.planned()
        if shards:
            total = sum(shard.documents for shard in shards)
            session.reporter.stage("annotating", "documents", total)
        session.handover.take_over({shard.number for shard in shards})
        staged = finished_receipts(session.work.staged(session.run_id))
        for shard in shards:
            if shard.number in staged:
                self._load(shard, staged[shard.number])

    def planned(self) -> list[PlannedShard]:
        """Shards that are not in the warehouse yet."""
        return runs.planned_shards(self._session.connection, self._session.run_id)

    def run(self, run_wave: RunWave) -> None:
        """Annotate and load all planned shards.

        When a worker dies, the shards in flight are run again one at a time, and only a death
        while alone counts against a shard.

        Args:
            run_wave: runs shards in a pool of so many workers and returns those lost to a death.

        Raises:
            ShardFailed: a shard killed its worker alone more often than it may.
        """
        execution = self._session.order.settings.execution
        deaths: Counter[int] = Counter()
        while shards := self.planned():
            wave = shards[:SHARDS_PER_WAVE]
            suspects = run_wave(wave, min(self._session.order.settings.workers, len(wave)))
            for suspect in suspects:
                STOP.check()  # a signal to the whole group kills workers too
                if run_wave([suspect], 1):
                    deaths[suspect.number] += 1
                if deaths[suspect.number] > execution.retries:
                    raise ShardFailed(
                        f"shard {suspect.number} ended its worker process "
                        f"{deaths[suspect.number]} times while running alone",
                        "All other shards are kept. Is there enough memory? To cut smaller shards, "
                        "remove the work folder, set execution.shard_characters and run again",
                    )
        if self._documents:
            self._session.reporter.end(self._documents)
        runs.close_sources(self._session.connection, self._session.run_id)

    def through_pool(
        self, shards: Sequence[PlannedShard], submit: Submit, pool: Pool
    ) -> list[PlannedShard]:
        """Send shards through an open pool; returns those whose worker died."""
        in_flight = self._session.order.settings.workers + AHEAD
        return dispatch(
            shards, submit, self._finish, pool=pool, in_flight=in_flight, tick=self._tick
        )

    def _finish(self, done: Sequence[tuple[PlannedShard, Receipt]]) -> Sequence[PlannedShard]:
        for shard, receipt in done:
            self._load(shard, receipt)
        return ()

    def _load(self, shard: PlannedShard, receipt: Receipt) -> None:
        session = self._session
        receipt = session.handover.take(receipt, session.work.shard(session.run_id, shard.number))
        annotation_id = session.order.annotation.annotation_id
        load_shard(session.connection, session.run_id, annotation_id, shard.path, receipt)
        remove_tree(receipt.path)
        session.work.shard(session.run_id, shard.number).unlink()
        (self._counters / f"{shard.number:05d}").unlink(missing_ok=True)
        self._documents += shard.documents
        self._tick()

    def _tick(self) -> None:
        """Show documents loaded plus those that workers have done of their shards."""
        done = self._documents
        for counter in self._counters.glob("*"):
            try:
                done += int(counter.read_text("ascii") or 0)
            except (OSError, ValueError):
                continue  # being written or removed just now
        self._session.reporter.done(done)
