"""Shards through a pool that breaks: who is to blame is found, and nobody else loses anything."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.annotating import AnnotateStage
from flows.dispatch import Pool
from flows.isolation import pieces
from flows.plan import Planner
from flows.progress import Reporter
from flows.receipt import Receipt, StagingError
from flows.run import _recover
from flows.session import Session
from flows.shard_stage import AHEAD, ENDED_WORKER, REJECTS_IN_A_ROW
from flows.warehouse import runs
from flows.warehouse.connection import Connection, open_warehouse
from flows.warehouse.runs import PlannedShard
from flows.work import WorkFolder, make_private
from flows.worker import ShardFailed
from tests.flows.conftest import Bench, annotate_by_rule, lay
from tests.flows.runs import contents

Notes = Callable[..., Path]


class MainKilled(BaseException):
    """Stands in for a SIGKILL of the main process."""


@dataclass
class Machine:
    """A pool of processes played by function calls: documents with the word ``deadly`` end it.

    Like a real one it is broken whole: whatever is handed over in the same wave is lost.
    """

    session: Session
    bench: Bench
    killed_after: int | None = None
    """So many shards are handed over before the main process dies."""
    starts: bool = True
    """Whether its workers live long enough to begin with a shard."""
    spoil: Callable[[Receipt], None] = lambda receipt: None
    handed: list[PlannedShard] = field(default_factory=list)
    waves: list[tuple[int, int]] = field(default_factory=list)
    most: int = 0

    def run(self) -> None:
        stage = AnnotateStage(self.session)
        pool = Pool((BrokenProcessPool,), lambda: None, is_local=True)

        def run_wave(shards: Sequence[PlannedShard], workers: int) -> list[PlannedShard]:
            self.waves.append((len(shards), workers))
            broken = False

            def submit(shard: PlannedShard) -> Future[Receipt]:
                nonlocal broken
                self.handed.append(shard)
                if self.killed_after is not None and len(self.handed) > self.killed_after:
                    raise MainKilled
                future = Future[Receipt]()
                broken = broken or self._dies(shard)
                if broken:
                    future.set_exception(BrokenProcessPool())
                else:
                    staged = self.session.work.staged(self.session.run_id)
                    receipt = annotate_by_rule(
                        self.bench.annotation_id, Path(shard.path), staged, shard.number
                    )
                    self.spoil(receipt)
                    future.set_result(receipt)
                return future

            return stage.through_pool(shards, submit, pool)

        stage.run(run_wave)

    def _dies(self, shard: PlannedShard) -> bool:
        texts = pl.read_parquet(shard.path)["text"]
        deadly = [row for row, text in enumerate(texts) if "deadly" in text]
        if not self.starts:
            return True
        done = deadly[0] if deadly else len(texts)
        # A batch is two documents, unless they are taken one by one.
        counter = self.session.work.counter(self.session.run_id, shard.number)
        make_private(counter.parent)
        counter.write_text(str(done if shard.one_by_one else done // 2 * 2))
        return bool(deadly)


def begin(bench: Bench, connection: Connection, source: Path) -> Session:
    """A planned run, new or left by one that was killed."""
    order = bench.order(source)
    work = WorkFolder.beside(bench.warehouse)
    make_private(work.root)
    left = _recover(connection, order, work)
    run_id = left[-1] if left else runs.new_run_id()
    if not left:
        runs.begin_run(connection, run_id, order)
    if not runs.is_planned(connection, run_id):
        planner = Planner(connection, order, work, run_id)
        planner.commit(planner.read(), 0.0)
    return Session(run_id, connection, order, work, Reporter(run_id, None, quiet=True))


def texts(count: int, deadly: Collection[int]) -> dict[str, str]:
    return {
        f"n{i:02d}": f"word{i} {'deadly' if i in deadly else 'harmless'} note" for i in range(count)
    }


def annotate(bench: Bench, source: Path, **machine: object) -> Machine:
    with open_warehouse(bench.warehouse) as connection:
        played = Machine(begin(bench, connection, source), bench, **machine)  # type: ignore[arg-type]
        played.run()
        runs.finish_run(connection, played.session.run_id, {})
    return played


@given(data=st.data())
def test_pieces_make_up_the_shard_and_are_smaller(data: st.DataObject) -> None:
    documents = data.draw(st.integers(2, 50))
    done = data.draw(st.integers(-1, documents))
    found = pieces(documents, done)
    assert [row for start, end in found for row in range(start, end)] == list(range(documents))
    assert all(0 < end - start < documents for start, end in found)
    if 0 <= done < documents:
        assert (done, done + 1) in found


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    deadly=st.sets(st.integers(0, 11), max_size=4),
    characters=st.sampled_from([30, 120, 1000]),
    retries=st.integers(0, 2),
    kill=st.none() | st.integers(0, 25),
)
def test_only_deadly_documents_become_rejects_whatever_is_killed(
    tmp_path_factory: pytest.TempPathFactory,
    deadly: set[int],
    characters: int,
    retries: int,
    kill: int | None,
) -> None:
    """The tables of innocents are those of a run without the others; a kill changes nothing."""
    folder = tmp_path_factory.mktemp("bench")
    execution: dict[str, object] = {"shard_characters": characters, "retries": retries}
    bench = Bench(lay(folder / "w.duckdb"), settings=execution)
    source = folder / "notes.jsonl"
    lines = [f'{{"id": "{key}", "text": "{text}"}}\n' for key, text in texts(12, deadly).items()]
    source.write_text("".join(lines))
    try:
        annotate(bench, source, killed_after=kill)
    except MainKilled:
        annotate(bench, source)
    found = contents(bench.warehouse)
    if kill is not None:  # else nothing disturbed it
        undisturbed = Bench(lay(folder / "undisturbed.duckdb"), settings=execution)
        annotate(undisturbed, source)
        assert found == contents(undisturbed.warehouse)
    calm = Bench(lay(folder / "calm.duckdb"), settings=execution)
    source.write_text("".join(lines).replace("deadly", "unreadable"))
    annotate(calm, source)

    expected = contents(calm.warehouse)
    for table in ("mentions", "document_annotations"):
        columns = _columns(bench.warehouse, table)
        hashes = columns.index("source_hash") if "source_hash" in columns else None
        assert _without(found[table], hashes) == _without(expected[table], hashes), table
    rejected = sorted(f"notes:n{i:02d}" for i in deadly)
    assert bench.query("SELECT document_id, reason FROM rejects ORDER BY 1") == [
        (document_id, ENDED_WORKER) for document_id in rejected
    ]
    assert bench.query(
        "SELECT sum(documents)::INT, sum(rejected)::INT, count(*) FILTER (status != 'loaded') "
        "FROM shards"
    ) == [(12, len(deadly), 0)]
    assert bench.query("SELECT count(*), count(DISTINCT document_id) FROM documents") == [(12, 12)]
    assert list((folder / "w.duckdb.work").rglob("*.parquet")) == []


def _columns(warehouse: Path, table: str) -> list[str]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return [
            name
            for name, *_ in connection.execute(f"DESCRIBE {table}").fetchall()
            if name not in {"run_id", "shard_id"}
        ]


def _without(rows: list[tuple[object, ...]], column: int | None) -> list[tuple[object, ...]]:
    if column is None:
        return rows
    return sorted(row[:column] + row[column + 1 :] for row in rows)  # type: ignore[type-var]


def test_death_in_company_costs_a_shard_nothing(bench: Bench, notes: Notes) -> None:
    """Suspects are run alone; those that end well are not cut."""
    bench.settings = {"shard_characters": 30}
    source = notes(**texts(4, ()))
    with open_warehouse(bench.warehouse) as connection:
        machine = Machine(begin(bench, connection, source), bench)
        died = iter([True])

        def once(shard: PlannedShard) -> bool:
            return next(died, False)

        machine._dies = once  # type: ignore[method-assign]
        machine.run()
    assert machine.waves == [(4, 2), *[(1, 1)] * 4]
    assert bench.query("SELECT count(*), count(DISTINCT shard_id) FROM shards") == [(4, 4)]
    assert bench.query("SELECT count(*) FROM rejects") == [(0,)]


def test_workers_that_die_before_they_begin_blame_no_document(bench: Bench, notes: Notes) -> None:
    source = notes(**texts(3, ()))
    with pytest.raises(ShardFailed, match="3 times while running alone, before its first"):
        annotate(bench, source, starts=False)
    assert bench.query("SELECT count(*) FROM rejects") == [(0,)]
    annotate(bench, source)
    assert bench.query("SELECT count(*) FROM documents") == [(3,)]


def test_machine_that_fails_every_document_ends_the_run(bench: Bench, notes: Notes) -> None:
    source = notes(**texts(40, range(40)))
    with pytest.raises(ShardFailed, match="the machine is more likely to blame"):
        annotate(bench, source)
    assert bench.query("SELECT count(*) FROM rejects") == [(REJECTS_IN_A_ROW,)]


@pytest.mark.parametrize("damage", ["truncated", "altered", "missing", "no folder"])
def test_damaged_staging_is_annotated_again(bench: Bench, notes: Notes, damage: str) -> None:
    source = notes(**texts(4, ()))
    left = [1]

    def spoil(receipt: Receipt) -> None:
        if left:
            left.pop()
            _damage(receipt, damage)

    machine = annotate(bench, source, spoil=spoil)
    assert len(machine.handed) == len({shard.number for shard in machine.handed}) + 1
    assert bench.query("SELECT count(*), count(DISTINCT document_id) FROM mentions") == [(4, 4)]
    assert bench.query("SELECT count(*) FROM rejects") == [(0,)]


def test_staging_that_is_always_damaged_ends_the_run_and_keeps_the_rest(
    bench: Bench, notes: Notes
) -> None:
    bench.settings = {"shard_characters": 30}
    source = notes(**texts(4, ()))

    def spoil(receipt: Receipt) -> None:
        if receipt.shard == 3:
            _damage(receipt, "altered")

    with pytest.raises(StagingError, match="shard 3"):
        annotate(bench, source, spoil=spoil)
    assert bench.query("SELECT count(*) FROM documents") == [(3,)]
    annotate(bench, source)
    assert bench.query("SELECT count(*) FROM documents") == [(4,)]


def _damage(receipt: Receipt, how: str) -> None:
    file = receipt.file("mentions")
    if how == "truncated":
        file.write_bytes(file.read_bytes()[:-7])
    elif how == "altered":
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif how == "missing":
        file.unlink()
    else:
        receipt.path.rename(receipt.path.with_name("elsewhere"))


def test_shard_that_cannot_be_loaded_does_not_lose_those_beside_it(
    bench: Bench, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that are ready go in with one transaction; where that fails, each has its own."""
    bench.settings = {"shard_characters": 30, "workers": 4}
    source = notes(**texts(5, ()))

    def spoil(receipt: Receipt) -> None:
        if receipt.shard == 2:  # sound by its receipt, but no table that DuckDB can take
            file = receipt.file("mentions")
            pl.DataFrame({"other": [1]}).write_parquet(file)
            from flows.work import file_sha256

            receipt.checksums[file.name] = file_sha256(file)

    with pytest.raises(duckdb.Error):
        annotate(bench, source, spoil=spoil)
    loaded = bench.query("SELECT shard_id FROM shards WHERE status = 'loaded' ORDER BY 1")
    assert [str(shard)[-5:] for (shard,) in loaded] == ["00001", "00003", "00004", "00005"]
    assert bench.query("SELECT bool_and(seconds.load > 0) FROM shards WHERE status = 'loaded'") == [
        (True,)
    ]
    annotate(bench, source)
    assert bench.query("SELECT count(*), count(DISTINCT document_id) FROM mentions") == [(5, 5)]


def test_shards_on_their_way_are_bounded_whatever_the_corpus(bench: Bench, notes: Notes) -> None:
    bench.settings = {"shard_characters": 30, "workers": 3}
    source = notes(**texts(60, ()))
    with open_warehouse(bench.warehouse) as connection:
        machine = Machine(begin(bench, connection, source), bench)
        most = 0

        def staged_at_once(receipt: Receipt) -> None:
            nonlocal most
            most = max(most, len(list(receipt.path.parent.iterdir())))

        machine.spoil = staged_at_once
        machine.run()
    assert len(machine.handed) == 60
    assert 1 < most <= 3 + AHEAD
