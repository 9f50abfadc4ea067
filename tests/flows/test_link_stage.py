"""Which names a run links: those its linkset may not know, in files of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from flows import linking
from flows.fresh import fresh_ledger
from flows.link_worker import names_file
from flows.linking import LinkStage
from flows.order import LinkTarget
from flows.progress import Reporter
from flows.session import Session
from flows.settings import ExecutionSettings
from flows.warehouse.connection import Connection, open_warehouse
from flows.warehouse.memory import bound_memory
from flows.work import WorkFolder
from ontologies.build import build_store
from ontologies.store import open_store
from tests.flows.conftest import Bench
from tests.ontologies.conftest import mesh_file, record

Notes = Callable[..., Path]
RUN = "20260101T000000-aaaaaa"


@pytest.fixture
def target(tmp_path: Path) -> LinkTarget:
    mesh = mesh_file(tmp_path / "desc.xml", record("D001249", "Asthma", trees=("C08.1",)))
    build_store([("mesh", mesh)], tmp_path / "store")
    release = open_store(tmp_path / "store").release.release_id
    return LinkTarget("store", tmp_path / "store", release, "linkset-1", 1)


def link_all(connection: Connection, target: LinkTarget, *, current: bool = True) -> None:
    """Every name of the warehouse is linked, as after a run."""
    connection.execute(
        "INSERT INTO name_links BY NAME SELECT DISTINCT lookup_text, label, ? AS linkset_id, "
        "1 AS rank, 'no_candidate' AS status FROM mentions",
        [target.linkset_id],
    )
    connection.execute(
        "INSERT INTO linksets (linkset_id, release_id, position, is_current, settings, created_at) "
        "VALUES (?, ?, 1, ?, '{}', now()::TIMESTAMP)",
        [target.linkset_id, target.release_id, current],
    )


@contextmanager
def stage_of(bench: Bench, target: LinkTarget, source: Path) -> Iterator[LinkStage]:
    with open_warehouse(bench.warehouse) as connection:
        order = replace(bench.order(source), targets=(target,))
        work = WorkFolder.beside(bench.warehouse)
        yield LinkStage(Session(RUN, connection, order, work, Reporter(RUN, None, quiet=True)))


def names_to_link(bench: Bench, target: LinkTarget, source: Path) -> list[list[str]]:
    """Names by chunk, as a worker would read them."""
    work = WorkFolder.beside(bench.warehouse)
    with stage_of(bench, target, source) as stage:
        return [
            pl.read_parquet(names_file(work, RUN, *chunk))["lookup_text"].to_list()
            for chunk in stage.chunks
        ]


def test_names_are_cut_into_sorted_chunks(
    bench: Bench, notes: Notes, target: LinkTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linking, "NAMES_PER_CHUNK", 2)
    source = notes(a="gout", b="asthma", c="rash", d="gout", e="fever", f="cough")
    bench.run(source)
    chunks = names_to_link(bench, target, source)
    assert chunks == [["asthma", "cough"], ["fever", "gout"], ["rash"]]


def test_a_linkset_that_knows_all_names_is_asked_nothing(
    bench: Bench, notes: Notes, target: LinkTarget
) -> None:
    source = notes(a="gout", b="asthma")
    bench.run(source)
    with open_warehouse(bench.warehouse) as connection:
        link_all(connection, target)
        assert fresh_ledger(connection, target.linkset_id) is None
    assert names_to_link(bench, target, source) == []


def test_only_names_of_what_no_finished_run_annotated_are_looked_at(
    bench: Bench, notes: Notes, target: LinkTarget
) -> None:
    bench.run(notes(a="gout", b="asthma"))
    with open_warehouse(bench.warehouse) as connection:
        link_all(connection, target)
    source = notes(a="gout", b="asthma", c="rash", d="gout")
    bench.run(source)
    assert names_to_link(bench, target, source) == []  # that run is done: it linked its own
    for status in ("running", "abandoned"):
        bench.query(f"UPDATE runs SET status = '{status}' WHERE new = 2 AND skipped = 2")
        assert names_to_link(bench, target, source) == [["rash"]]


def test_a_linkset_that_was_passed_over_is_asked_for_all(
    bench: Bench, notes: Notes, target: LinkTarget
) -> None:
    source = notes(a="gout", b="asthma")
    bench.run(source)
    with open_warehouse(bench.warehouse) as connection:
        link_all(connection, target, current=False)
        connection.execute("DELETE FROM name_links WHERE lookup_text = 'gout'")
    assert names_to_link(bench, target, source) == [["gout"]]


@pytest.mark.parametrize(("megabytes", "least", "most"), [(300, 300, 300), (0, 512, 10**6)])
def test_duckdb_holds_no_more_than_it_may(
    bench: Bench, megabytes: int, least: int, most: int
) -> None:
    with open_warehouse(bench.warehouse) as connection:
        bound_memory(connection, ExecutionSettings(memory_megabytes=megabytes))
        ((limit,),) = connection.execute("SELECT current_setting('memory_limit')").fetchall()
        number, unit = limit.split()
        held = float(number) * {"MiB": 1, "GiB": 1024}[unit]
        assert least <= held <= most
