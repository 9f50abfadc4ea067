"""Nothing lost, nothing doubled: what the check at the end of a run notices, and what follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.conservation import ConservationError, check_plan, check_run
from flows.counts import PlanCounts
from flows.pipeline import publish
from flows.progress import Reporter
from flows.session import Session
from flows.warehouse.connection import open_warehouse
from flows.work import WorkFolder
from tests.flows.conftest import Bench

Notes = Callable[..., Path]

PARTS = [f.name for f in fields(PlanCounts) if f.name not in {"read", "pruned"}]


@given(
    parts=st.fixed_dictionaries({name: st.integers(0, 10**9) for name in PARTS}),
    pruned=st.integers(0, 9),
    off=st.integers(-3, 3),
)
def test_every_record_becomes_exactly_one_thing(
    parts: dict[str, int], pruned: int, off: int
) -> None:
    counts = PlanCounts(read=sum(parts.values()), pruned=pruned, **parts)
    check_plan(counts)
    if off:
        with pytest.raises(ConservationError, match="records were read"):
            check_plan(replace(counts, read=counts.read + off))


@pytest.fixture
def done(bench: Bench, notes: Notes) -> Bench:
    """A warehouse after a run, the last of two, with a reject."""
    bench.run(notes("other", z="flu today"))
    bench.run(notes(a="asthma today", b="gout today", c="unreadable words"))
    return bench


def last_run(bench: Bench) -> str:
    ((run_id,),) = bench.query("SELECT run_id FROM runs ORDER BY started_at DESC LIMIT 1")
    return str(run_id)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (
            "DELETE FROM document_annotations WHERE document_id = 'notes:a'",
            "3 documents to annotate, 3 in shards, 2 in the ledger, 2 stored",
        ),
        (
            "DELETE FROM documents WHERE document_id = 'notes:a'",
            "3 documents to annotate, 3 in shards, 3 in the ledger, 2 stored",
        ),
        (
            "INSERT INTO documents FROM documents WHERE document_id = 'notes:a'",
            "3 documents to annotate, 3 in shards, 3 in the ledger, 4 stored",
        ),
        (
            "UPDATE documents SET source_hash = 'x' WHERE document_id = 'notes:b'",
            "3 documents to annotate, 3 in shards, 3 in the ledger, 2 stored",
        ),
        ("DELETE FROM shards", "3 documents to annotate, 0 in shards, 3 in the ledger, 3 stored"),
        ("UPDATE shards SET status = 'planned'", "1 shards planned, 0 loaded"),
        ("DELETE FROM rejects", "1 documents that failed, 1 in the ledger, 0 in rejects"),
        ("UPDATE runs SET new = 2", "3 records were read, and 2 new are accounted for"),
    ],
)
def test_what_is_lost_or_doubled_is_told_in_numbers(done: Bench, damage: str, told: str) -> None:
    run_id = last_run(done)
    with open_warehouse(done.warehouse) as connection:
        check_run(connection, run_id)
        connection.execute(damage)
        with pytest.raises(ConservationError) as caught:
            check_run(connection, run_id)
    assert told in str(caught.value)


def test_a_run_that_does_not_add_up_fails_and_the_next_one_mends_it(
    done: Bench, tmp_path: Path
) -> None:
    run_id = last_run(done)
    source = tmp_path / "notes.jsonl"
    work = WorkFolder.beside(done.warehouse)
    with open_warehouse(done.warehouse) as connection:
        for table in ("documents", "mentions", "document_annotations"):
            connection.execute(f"DELETE FROM {table} WHERE document_id = 'notes:a'")
        connection.execute("UPDATE runs SET status = 'running' WHERE run_id = ?", [run_id])
        with Reporter(run_id, work.status, quiet=True) as reporter:
            session = Session(run_id, connection, done.order(source), work, reporter)
            with pytest.raises(ConservationError, match="does not add up"):
                publish(session)
    assert done.query(f"SELECT status FROM runs WHERE run_id = '{run_id}'") == [("failed",)]
    assert done.query("SELECT status FROM sources ORDER BY path") == [("partial",), ("done",)]
    counts = done.run(source)
    assert (counts.read, counts.new, counts.skipped) == (3, 1, 2)
    assert done.query("SELECT count(*) FROM mentions") == [(3,)]
