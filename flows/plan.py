"""Planning: what is new, changed, withdrawn or done, cut into shard files before any NER.

Nothing reaches the warehouse before the one transaction at the end: a plan is stored whole or
not at all, and an interrupted plan is simply made again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flows import verdicts
from flows.checksums import checksum_problem
from flows.conservation import check_plan
from flows.counts import PlanCounts, Preview
from flows.errors import SourceError
from flows.incoming import WHOLE_FILE, Reject, read_rows
from flows.order import Order
from flows.planning import Planning
from flows.pruning import Pruning, find_vanished
from flows.pseudonyms import pseudonyms_of
from flows.shard_files import ShardFile, cut, spool
from flows.slices import Gathering, Slice
from flows.sources import SourceState, known_sources
from flows.stored_plan import store_plan
from flows.warehouse.connection import Connection
from flows.work import WorkFolder, make_private, remove_tree


class Planner:
    """One planning pass over an order's sources, held in temporary tables of the warehouse."""

    def __init__(
        self,
        connection: Connection,
        order: Order,
        work: WorkFolder,
        run_id: str,
        *,
        check: Callable[[], None] = lambda: None,
        progress: Callable[[int], None] = lambda records: None,
    ) -> None:
        """Prepare a plan.

        Args:
            connection: the open warehouse.
            order: what to do.
            work: the warehouse's work folder.
            run_id: the run that plans.
            check: called between files and slices; raises to stop.
            progress: receives the number of records read so far.
        """
        self._planning = Planning(connection, order, work, run_id)
        self._pseudonyms = pseudonyms_of(order)
        self._check = check
        self._progress = progress
        self._gathering = Gathering(self._take)
        self._spools = True
        self._states: list[SourceState] = []
        self._touched: list[SourceState] = []
        self._pruning: Pruning | None = None
        self._records = 0
        self._first_seq = 0

    def read(self, *, spool: bool = True) -> PlanCounts:
        """Read all sources, keep what may need work in the spool, and decide on every record.

        A file that cannot be read as a whole counts as one record, rejected.

        Args:
            spool: keep texts; a dry run does without.

        Raises:
            SourceError: two files would number their records alike; nothing has been written.
        """
        connection, order = self._planning.connection, self._planning.order
        folder = self._planning.work.spool(self._planning.run_id)
        remove_tree(folder)
        self._spools = spool
        if spool:
            make_private(folder)
        verdicts.create_tables(connection)
        unchanged = 0
        limit, prunes = order.settings.source.limit, order.settings.source.prune
        fetched = self._planning.work.run(self._planning.run_id) / "fetched" if spool else None
        for state in known_sources(connection, order, fetched, self._pseudonyms):
            left = None if limit is None else limit - self._records
            if left is not None and left <= 0:
                break
            if state.unchanged and not prunes and (left is None or state.documents <= left):
                unchanged += state.documents
                if state.touched:
                    self._touched.append(state)
                self._records += state.documents
            else:
                self._records += self._read(state, left)
            self._check()
            self._progress(self._records)
        self._gathering.flush()
        verdicts.decide(connection)
        if prunes:
            self._pruning = find_vanished(self._planning, self._states)
        return verdicts.count(connection, read=self._records, unchanged=unchanged)

    def preview(self) -> Preview:
        """What a run would do, without texts or files."""
        counts = self.read(spool=False)
        ((documents, characters),) = self._planning.connection.execute(
            "SELECT count(*), coalesce(sum(characters), 0) FROM incoming "
            f"WHERE {verdicts.ANNOTATED}"
        ).fetchall()
        verdicts.drop_tables(self._planning.connection)
        return Preview(counts, documents, characters)

    def commit(self, counts: PlanCounts, seconds: float) -> list[ShardFile]:
        """Cut the shards and store the plan in one transaction.

        Raises:
            CharthouseError: records are not accounted for, or more is to be pruned than may be;
                nothing has been written.
        """
        check_plan(counts)
        if self._pruning is not None:
            self._pruning.check()
        shards = list(cut(self._planning, self._check))
        store_plan(self._planning, self._states, self._touched, shards, counts, seconds)
        verdicts.drop_tables(self._planning.connection)
        remove_tree(self._planning.work.spool(self._planning.run_id))
        return shards

    def _read(self, state: SourceState, left: int | None) -> int:
        """Read a file and return its number of records; one that fails midway is one reject."""
        first = self._first_seq = self._gathering.next_seq
        try:
            if problem := state.problem or _checksum_problem(state.file.path):
                raise SourceError(problem)
            for found in read_rows(state.file, state.number, left, self._pseudonyms):
                self._gathering.add(found)
        except SourceError as error:
            self._gathering.take_back(first)
            verdicts.take_back(self._planning.connection, first)
            reason = error.reason(state.file.path)
            self._gathering.add(Reject(state.file.name, WHOLE_FILE, reason))
            self._states.append(state.after_failing())
            return 1
        records = self._gathering.next_seq - first
        self._states.append(state.after_reading(records, cut=records == left))
        return records

    def _take(self, slice_: Slice) -> None:
        """Judge a slice; spool the rows of which more than the keys may be needed."""
        self._check()
        needed = verdicts.judge(self._planning, slice_)
        if self._spools:
            spool(self._planning, slice_, needed)
        self._progress(self._records + self._gathering.next_seq - self._first_seq)


def _checksum_problem(path: Path) -> str | None:
    try:
        return checksum_problem(path)
    except OSError as error:
        return f"the file cannot be checked against its .md5 file ({error.strerror})"
