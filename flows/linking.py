"""The link stage: names that no linkset knows yet, set-wise, and the concept tables."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence

from flows.contextual import link_in_context
from flows.dispatch import Pending, Pool, dispatch
from flows.errors import CharthouseError
from flows.fresh import fresh_ledger
from flows.link_worker import names_file
from flows.order import LinkTarget
from flows.processes import STOP
from flows.receipt import Receipt, StagingError
from flows.session import Session
from flows.stalls import StallWatch
from flows.warehouse.connection import Connection, transaction
from flows.warehouse.ddl import literal, parquet
from flows.warehouse.load import insert, load_name_links
from flows.warehouse.runs import now
from flows.work import make_private, remove_tree, write_durably
from ontologies.linker import LINKER_VERSION
from ontologies.schema import (
    CONCEPT_ANCESTORS,
    CONCEPT_NAMES,
    CONCEPT_REPLACEMENTS,
    CONCEPTS,
)
from ontologies.store import open_store

NAMES_PER_CHUNK = 10_000

NAMES_PER_WRITTEN_CHUNK = 500
"""With a language model, which takes a second a name where it is large and has no GPU: a chunk
must be done within ``execution.stall_seconds``."""

Chunk = tuple[int, int]
"""Index of the ontology in the order, number of the chunk."""

RunWave = Callable[[Sequence[Chunk], int], list[Chunk]]


class LinkStage:
    """Names to link, cut into chunk files, and where their links go."""

    def __init__(self, session: Session) -> None:
        """Load concept tables that are missing and write the names to link to chunk files."""
        self._session = session
        self._names = 0
        link = session.order.settings.link
        self._at_once = NAMES_PER_WRITTEN_CHUNK if link.writer else NAMES_PER_CHUNK
        self._linked: set[Chunk] = set()
        self._damaged: Counter[Chunk] = Counter()
        self.chunks: list[Chunk] = []
        for index, target in enumerate(session.order.targets):
            _load_release(session.connection, target)
            self._write_chunks(index, target)
        if self._names:
            session.reporter.stage("linking", "names", self._names)

    def _write_chunks(self, index: int, target: LinkTarget) -> None:
        """Cut the names that a linkset lacks into files. DuckDB sorts them, beside memory."""
        connection = self._session.connection
        fresh = fresh_ledger(connection, target.linkset_id)
        if fresh is None:
            return
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE names_to_link AS "
            "SELECT DISTINCT m.lookup_text, m.label FROM mentions m "
            f"SEMI JOIN {fresh} a USING (document_id, annotation_id) WHERE NOT EXISTS ("
            "FROM name_links n WHERE n.lookup_text = m.lookup_text AND n.label = m.label "
            f"AND n.linkset_id = {literal(target.linkset_id)}) ORDER BY ALL"
        )
        ((names,),) = connection.execute("SELECT count(*) FROM names_to_link").fetchall()
        for chunk, first in enumerate(range(0, names, self._at_once)):
            frame = connection.sql(
                "SELECT * FROM names_to_link WHERE rowid >= $first AND rowid < $last ORDER BY ALL",
                params={"first": first, "last": first + self._at_once},
            ).pl()
            path = names_file(self._session.work, self._session.run_id, index, chunk)
            make_private(path.parent)
            write_durably(path, frame.write_parquet)
            self.chunks.append((index, chunk))
        connection.execute("DROP TABLE names_to_link")
        self._names += names

    def here(self, link: Callable[[Chunk], Receipt]) -> None:
        """Link all chunks in this process: quicker than starting a pool for a few."""
        for chunk in self.chunks:
            waiting = [chunk]
            while waiting:
                STOP.check()
                waiting = self._finish([(chunk, link(chunk))])

    def run(self, run_wave: RunWave) -> None:
        """Link all chunks in pools.

        When a worker dies or hangs, the chunks in flight are linked again one at a time.

        Args:
            run_wave: links chunks in a pool of so many workers and returns those lost to a death.

        Raises:
            CharthouseError: a chunk went on ending its worker while alone; all others are linked.
                It is no name without a candidate: nobody has looked for one.
        """
        execution = self._session.order.settings.execution
        waiting, failed = list(self.chunks), list[Chunk]()
        while waiting:
            workers = min(self._session.order.settings.workers, len(waiting))
            lost = run_wave(waiting, workers)
            for chunk in lost:
                for _ in range(execution.retries + 1):
                    STOP.check()  # a signal to the whole group kills workers too
                    if not run_wave([chunk], 1):
                        break
                else:
                    failed.append(chunk)
            gone = {*self._linked, *failed}
            waiting = [chunk for chunk in waiting if chunk not in gone]
        if failed:
            raise CharthouseError(
                f"{len(failed)} of {len(self.chunks)} chunks of names ended their worker process "
                f"{execution.retries + 1} times while running alone",
                "All other names are linked. Is there enough memory for the concept store? Run "
                "the same command again to go on",
            )

    def through_pool(
        self, chunks: Sequence[Chunk], submit: Callable[[Chunk], Pending], pool: Pool
    ) -> list[Chunk]:
        """Link chunks in an open pool; returns those whose worker died."""
        seconds = self._session.order.settings.execution.stall_seconds
        watch: StallWatch[Chunk] = StallWatch(lambda chunk: None, seconds, lambda chunk: seconds)

        def tick(in_flight: Sequence[Chunk]) -> None:
            if pool.is_local and watch.stuck(in_flight):
                pool.kill()

        in_flight = self._session.order.settings.workers + 1
        return dispatch(chunks, submit, self._finish, pool=pool, in_flight=in_flight, tick=tick)

    def close(self) -> None:
        """Let context choose, then make this run's linksets the current ones in one transaction."""
        connection = self._session.connection
        if self._session.order.settings.link.context:
            for target in self._session.order.targets:
                link_in_context(
                    connection,
                    target,
                    self._session.order.settings.link,
                    STOP.check,
                )
        settings = {
            "linker": LINKER_VERSION,
            **self._session.order.settings.link.model_dump(mode="json"),
        }
        with transaction(connection):
            connection.execute("UPDATE linksets SET is_current = false WHERE is_current")
            for target in self._session.order.targets:
                connection.execute(
                    "INSERT INTO linksets (linkset_id, release_id, position, is_current, settings, "
                    "created_at) VALUES (?, ?, ?, true, ?, ?) ON CONFLICT (linkset_id) "
                    "DO UPDATE SET is_current = true, position = excluded.position",
                    [
                        target.linkset_id,
                        target.release_id,
                        target.position,
                        json.dumps(settings, sort_keys=True),
                        now(),
                    ],
                )
        if self._names:
            self._session.reporter.end(self._names)

    def _finish(self, done: Sequence[tuple[Chunk, Receipt]]) -> list[Chunk]:
        """Load what has come back; returns chunks whose staged output is damaged."""
        again = list[Chunk]()
        for chunk, receipt in done:
            try:
                self._load(chunk, receipt)
            except StagingError:
                self._damaged[chunk] += 1
                if self._damaged[chunk] > self._session.order.settings.execution.retries:
                    raise
                again.append(chunk)
        return again

    def _load(self, chunk: Chunk, receipt: Receipt) -> None:
        names = names_file(self._session.work, self._session.run_id, *chunk)
        linked = self._session.work.linked(self._session.run_id)
        receipt = self._session.handover.take(receipt, names, linked)
        load_name_links(self._session.connection, receipt)
        remove_tree(receipt.path)
        names.unlink()
        self._linked.add(chunk)
        self._session.reporter.done(min(self._names, len(self._linked) * self._at_once))


def _load_release(connection: Connection, target: LinkTarget) -> None:
    """Load a store's concept tables as dimensions, once per release."""
    known = connection.execute(
        "UPDATE ontology_releases SET path = ? WHERE release_id = ? RETURNING 1",
        [target.name, target.release_id],
    ).fetchall()
    if known:
        return
    release = open_store(target.store).release
    with transaction(connection):
        for table in (CONCEPTS, CONCEPT_NAMES, CONCEPT_ANCESTORS, CONCEPT_REPLACEMENTS):
            insert(connection, table, parquet(target.store / f"{table.name}.parquet"))
        connection.execute(
            "INSERT INTO ontology_releases (release_id, name, concepts, names, attribution, path) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [
                release.release_id,
                release.name,
                release.concepts,
                release.names,
                release.attribution,
                target.name,
            ],
        )
