"""Planned shards through the pool and into the warehouse, whatever is done with them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import duckdb
import polars as pl

from flows.dispatch import Pending, Pool, dispatch
from flows.isolation import cut, pieces
from flows.processes import STOP
from flows.receipt import Receipt, StagingError, finished_receipts
from flows.session import Session
from flows.shard_progress import ShardProgress
from flows.stalls import StallWatch, stall_limit
from flows.warehouse import runs
from flows.warehouse.runs import PlannedShard
from flows.work import remove_tree
from flows.worker import ShardFailed, longest

SHARDS_PER_WAVE = 2_000
"""Prefect keeps a row per task run: one flow run takes so many shards, the next follows."""

AHEAD = 2
"""Shards beyond the number of workers that may wait, annotated or about to be, for the writer."""

REJECTS_IN_A_ROW = 10
"""So many documents or items, one after another and nothing loaded between, end their worker: then
the machine is to blame rather than they."""

ENDED_WORKER = "ended its worker process"
HUNG_WORKER = "took longer than execution.stall_seconds allows"

Submit = Callable[[PlannedShard], Pending]
RunWave = Callable[[Sequence[PlannedShard], int], list[PlannedShard]]


class ShardStage(ABC):
    """Counts what is done while shards go through the pool and into the warehouse."""

    doing: str
    """What the stage is called while it runs."""
    unit: str
    """What a shard holds."""

    def __init__(self, session: Session) -> None:
        """Prepare the stage; shards that were staged before an interruption are loaded at once."""
        self.session = session
        self._execution = session.order.settings.execution
        self._progress = ShardProgress(session.work, session.run_id)
        self._counted = True
        self._documents = 0
        self._damaged: Counter[int] = Counter()
        self._rejects_in_a_row = 0
        shards = self.planned()
        if shards:
            total = sum(shard.documents for shard in shards)
            session.reporter.stage(self.doing, self.unit, total)
        session.handover.take_over({shard.number for shard in shards})
        staged = finished_receipts(session.work.staged(session.run_id))
        for shard in shards:
            if shard.number in staged:
                self._finish([(shard, staged[shard.number])])

    @abstractmethod
    def load(self, shards: Sequence[tuple[str, Receipt]]) -> None:
        """Load shards, each with its file and its checked receipt, in one transaction."""

    @abstractmethod
    def reject(self, shard: PlannedShard, reason: str) -> Receipt:
        """Stage all that a shard holds as rejects."""

    def planned(self) -> list[PlannedShard]:
        """Shards that are not in the warehouse yet."""
        return runs.planned_shards(self.session.connection, self.session.run_id)

    def run(self, run_wave: RunWave) -> None:
        """Work on and load all planned shards.

        When a worker dies or hangs, the shards in flight are run again one at a time, and only
        what happens while alone counts against a shard.

        Args:
            run_wave: runs shards in a pool of so many workers and returns those lost to a death.

        Raises:
            ShardFailed: workers end before they begin with a document, or with whatever they
                are given.
        """
        while shards := self.planned():
            wave = shards[:SHARDS_PER_WAVE]
            workers = min(self.session.order.settings.workers, len(wave))
            for suspect in run_wave(wave, workers):
                self._run_alone(suspect, run_wave)
        if self._documents:
            self.session.reporter.end(self._documents)
        runs.close_sources(self.session.connection, self.session.run_id)

    def through_pool(
        self, shards: Sequence[PlannedShard], submit: Submit, pool: Pool
    ) -> list[PlannedShard]:
        """Send shards through an open pool; returns those whose worker died."""
        self._counted = pool.is_local  # elsewhere nobody can tell how far a dead worker came
        watch = StallWatch(self._progress.sign, self._execution.stall_seconds, self._limit)

        def tick(in_flight: Sequence[PlannedShard]) -> None:
            self._tick()
            if pool.is_local and (stuck := watch.stuck(in_flight)):
                for shard in stuck:
                    self._progress.mark_stalled(shard)
                pool.kill()

        in_flight = self.session.order.settings.workers + AHEAD
        return dispatch(shards, submit, self._finish, pool=pool, in_flight=in_flight, tick=tick)

    def _run_alone(self, shard: PlannedShard, run_wave: RunWave) -> None:
        """Run a suspect alone; one that goes on ending its worker is cut around the document.

        Before it is cut its documents are taken one by one: thus the cut falls where it must, and
        in the same places when a run that was killed goes on. What was cut off is run alone too,
        once: the whole has been given its retries.
        """
        waiting = [(shard, self._execution.retries + 1)]
        while waiting:
            suspect, tries = waiting.pop()
            for attempt in range(tries):
                STOP.check()  # a signal to the whole group kills workers too
                if attempt or suspect.documents == 1:
                    suspect = replace(suspect, one_by_one=True)
                self._progress.forget(suspect)
                if not run_wave([suspect], 1):
                    break
            else:
                done = self._progress.done(suspect) if self._counted else -1
                if done is not None and suspect.one_by_one:
                    parts = self._take_apart(suspect, done)
                    waiting += [(part, 1) for part in reversed(parts)]
                elif done is not None:
                    waiting.append((replace(suspect, one_by_one=True), 1))
                elif tries <= self._execution.retries:  # a part: no document is to blame yet
                    waiting.append((suspect, self._execution.retries + 1))
                else:
                    raise ShardFailed(
                        f"shard {suspect.number} ended its worker process {tries} times while "
                        "running alone, before its first document",
                        "Is there enough memory for the models? `charthouse doctor` loads them. "
                        "What was finished is kept: run the same command again to go on",
                    )

    def _take_apart(self, shard: PlannedShard, done: int) -> list[PlannedShard]:
        """The parts of a shard that ended its worker alone; a document alone becomes a reject."""
        session = self.session
        if shard.documents > 1:
            ranges = pieces(shard.documents, done)
            parts = cut(session.connection, session.work, session.run_id, shard, ranges)
            return [replace(part, one_by_one=True) for part in parts]
        reason = HUNG_WORKER if self._progress.has_stalled(shard) else ENDED_WORKER
        rejects_in_a_row = self._rejects_in_a_row + 1
        self._finish([(shard, self.reject(shard, reason))])
        self._rejects_in_a_row = rejects_in_a_row
        if rejects_in_a_row >= REJECTS_IN_A_ROW:
            raise ShardFailed(
                f"{rejects_in_a_row} {self.unit} in a row ended their worker processes, each while "
                "running alone",
                "They are in rejects, but the machine is more likely to blame: see to memory, then "
                "run the same command again, and at last with --retry-rejects",
            )
        return []

    def _finish(self, done: Sequence[tuple[PlannedShard, Receipt]]) -> list[PlannedShard]:
        """Load what has come back; returns shards whose staged output is damaged."""
        again, sound = list[PlannedShard](), list[tuple[PlannedShard, Receipt]]()
        staged = self.session.work.staged(self.session.run_id)
        for shard, receipt in done:
            given = self.session.work.shard(self.session.run_id, shard.number)
            try:
                sound.append((shard, self.session.handover.take(receipt, given, staged)))
            except StagingError:
                self._damaged[shard.number] += 1
                if self._damaged[shard.number] > self._execution.retries:
                    self._load(sound)
                    raise
                again.append(shard)
        self._load(sound)
        return again

    def _load(self, done: Sequence[tuple[PlannedShard, Receipt]]) -> None:
        """Load shards in one transaction; if that fails, each in its own, so that one alone fails.

        Raises:
            duckdb.Error: what the first shard failed with that cannot be loaded.
        """
        if not done:
            return
        failed: duckdb.Error | None = None
        try:
            self.load([(self._file(shard), receipt) for shard, receipt in done])
        except duckdb.FatalException:  # DuckDB refuses all else from now on
            raise
        except duckdb.Error as error:
            if len(done) == 1:
                raise
            whole = error
        else:
            self._put_away(done)
            return
        for shard, receipt in done:
            try:
                self.load([(self._file(shard), receipt)])
            except duckdb.FatalException:
                raise whole from None  # it came of what all of them together ended with
            except duckdb.Error as error:
                failed = failed or error
            else:
                self._put_away([(shard, receipt)])
        if failed is not None:
            raise failed

    def _file(self, shard: PlannedShard) -> str:
        """The shard's file, where the work folder has it: nothing outside is ever read."""
        return str(self.session.work.shard(self.session.run_id, shard.number))

    def _put_away(self, done: Sequence[tuple[PlannedShard, Receipt]]) -> None:
        """Remove the files of shards that are in the warehouse, and count their documents."""
        session = self.session
        for shard, receipt in done:
            remove_tree(receipt.path)
            session.work.shard(session.run_id, shard.number).unlink(missing_ok=True)
            self._progress.forget(shard)
            self._documents += shard.documents
            self._rejects_in_a_row = 0
        self._tick()

    def _tick(self) -> None:
        """Show documents loaded plus those that workers have done of their shards."""
        self.session.reporter.done(self._documents + self._progress.total())

    def _limit(self, shard: PlannedShard) -> float:
        try:
            documents = pl.read_parquet(shard.path, columns=["characters"])
        except OSError:
            return self._execution.stall_seconds
        return stall_limit(self._execution.stall_seconds, longest(documents))
