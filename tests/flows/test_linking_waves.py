"""Chunks of names through a pool that breaks: linked again alone, or told, never passed over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from flows import linking
from flows.dispatch import Pool
from flows.errors import CharthouseError
from flows.link_worker import link_names_file, names_file
from flows.linking import Chunk, LinkStage
from flows.order import save_order
from flows.progress import Reporter
from flows.receipt import Receipt
from flows.session import Session
from flows.targets import link_targets
from flows.warehouse.connection import open_warehouse
from flows.work import WorkFolder, file_sha256, make_private
from tests.flows.conftest import Bench

Notes = Callable[..., Path]
NAMES = ["asthma", "aspirin", "gout", "fever", "cough", "anemia", "sepsis", "stroke", "nausea"]


@pytest.fixture
def mentions(bench: Bench, notes: Notes, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A warehouse with nine names, none of them linked, to be cut into five chunks."""
    monkeypatch.setattr(linking, "NAMES_PER_CHUNK", 2)
    bench.run(notes(**{f"n{i}": f"{name} today" for i, name in enumerate(NAMES)}))
    return bench


@contextmanager
def session(bench: Bench) -> Iterator[Session]:
    order = bench.order(bench.warehouse.parent / "notes.jsonl")
    order = replace(order, targets=link_targets(("sample",), order.settings))
    work = WorkFolder.beside(bench.warehouse)
    make_private(work.root)
    save_order(order, work.order)
    with open_warehouse(bench.warehouse) as connection:
        run_id = "20260504T120000-abcdef"
        yield Session(run_id, connection, order, work, Reporter(run_id, None, quiet=True))


def link(
    session: Session,
    deadly: Collection[Chunk],
    times: int = 1000,
    spoil: Callable[[Receipt], None] = lambda receipt: None,
) -> list[tuple[int, int]]:
    """Link all; a deadly chunk breaks its pool so many times. Returns the waves."""
    stage = LinkStage(session)
    waves: list[tuple[int, int]] = []
    left = dict.fromkeys(deadly, times)
    pool = Pool((BrokenProcessPool,), lambda: None, is_local=True)

    def run_wave(chunks: Sequence[Chunk], workers: int) -> list[Chunk]:
        waves.append((len(chunks), workers))
        broken = False

        def submit(chunk: Chunk) -> Future[Receipt]:
            nonlocal broken
            future = Future[Receipt]()
            if left.get(chunk, 0):
                left[chunk] -= 1
                broken = True
            if broken:
                future.set_exception(BrokenProcessPool())
                return future
            names = names_file(session.work, session.run_id, *chunk)
            root = str(session.work.root)
            receipt = link_names_file(root, session.run_id, *chunk, file_sha256(names))
            spoil(receipt)
            future.set_result(receipt)
            return future

        return stage.through_pool(chunks, submit, pool)

    stage.run(run_wave)
    stage.close()
    return waves


def linked(bench: Bench) -> list[tuple[object, ...]]:
    return bench.query("SELECT lookup_text, rank, concept_id FROM name_links ORDER BY ALL")


def test_chunks_lost_to_a_death_are_linked_alone(mentions: Bench) -> None:
    with session(mentions) as open_session:
        waves = link(open_session, {(0, 1)}, times=2)
    assert waves[0] == (5, 2)
    assert waves.count((1, 1)) >= 2
    assert {name for name, *_ in linked(mentions)} == set(NAMES)


def test_chunk_that_goes_on_killing_is_told_and_all_others_are_linked(mentions: Bench) -> None:
    """Its names have no row at all: that there is no candidate, nobody knows."""
    with (
        session(mentions) as open_session,
        pytest.raises(CharthouseError, match="1 of 5 chunks of names ended their worker process 3"),
    ):
        link(open_session, {(0, 1)})
    before = {name for name, *_ in linked(mentions)}
    assert len(before) == len(NAMES) - 2
    with session(mentions) as open_session:
        assert link(open_session, ()) == [(1, 1)], "only what is left"
    assert {name for name, *_ in linked(mentions)} == set(NAMES)


def test_damaged_links_are_made_again(mentions: Bench) -> None:
    left = [1]

    def spoil(receipt: Receipt) -> None:
        if left:
            left.pop()
            receipt.file("name_links").write_bytes(b"")

    with session(mentions) as open_session:
        assert link(open_session, (), spoil=spoil) == [(5, 2)]
    assert {name for name, *_ in linked(mentions)} == set(NAMES)
    keys = "SELECT count(*), count(DISTINCT (lookup_text, label, linkset_id, rank)) FROM name_links"
    ((rows, distinct),) = mentions.query(keys)
    assert rows == distinct
