"""At the door of a cluster: what does not fit is told in one line with the way out."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from distributed import Client, LocalCluster

import flows
from flows.cluster import dask, door
from flows.cluster.door import at_the_door
from flows.errors import CharthouseError
from flows.settings import Settings
from flows.storage import Storage
from tests.flows.cluster.conftest import free_port


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask, "_CONNECT_SECONDS", 2)
    monkeypatch.setattr(dask, "_WORKERS_SECONDS", 1)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two workers of one thread, each a process with one GPU, as far as Dask is told."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, resources={"GPU": 1}, dashboard_address=":0"
    ) as cluster:
        yield cluster


def settings(address: str | None, runner: str = "dask", **more: object) -> Settings:
    return Settings(execution={"runner": runner, "address": address, **more})


def fails(given: Settings, warehouse: Path) -> str:
    with pytest.raises(CharthouseError) as raised:
        at_the_door(given, warehouse)
    assert raised.value.fix, "no way out is told"
    return str(raised.value)


def test_the_local_runner_is_let_through(tmp_path: Path) -> None:
    given = settings("tcp://nowhere:1", "local", staging="s3://nowhere")
    assert at_the_door(given, tmp_path / "w.duckdb") is given


def test_workers_are_counted_and_settings_made_to_hold_anywhere(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "bundled").mkdir()
    monkeypatch.chdir(tmp_path)
    given = Settings(
        execution={
            "runner": "dask",
            "address": cluster.scheduler_address,
            "gpus": 0.5,
            "staging": "shared",
        },
        ner={"models": ("bundled", "model", "hub:owner/name@1")},
    )
    fit = at_the_door(given, tmp_path / "w.duckdb")
    assert fit.workers == 2
    assert fit.execution.staging == (tmp_path / "shared").as_uri()
    assert fit.ner.models == ("bundled", str(tmp_path / "model"), "hub:owner/name@1")
    assert not list((tmp_path / "shared").iterdir()), "questions are taken back"
    few = at_the_door(settings(cluster.scheduler_address, workers=1), tmp_path / "w.duckdb")
    assert few.workers == 1
    assert {path.name for path in tmp_path.iterdir()} == {"model", "bundled", "shared"}


def test_an_extra_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for runner in ("dask", "ray"):
        told = fails(settings("tcp://127.0.0.1:1", runner), tmp_path / "w.duckdb")
        assert f"charthouse[{runner}]" in told


def test_an_address_that_is_missing_or_does_not_answer(tmp_path: Path) -> None:
    assert "--scheduler" in fails(settings(None), tmp_path / "w.duckdb")
    assert "--address" in fails(settings(None, "ray"), tmp_path / "w.duckdb")
    address = f"tcp://127.0.0.1:{free_port()}"
    told = fails(settings(address), tmp_path / "w.duckdb")
    assert f"no Dask scheduler answers at {address}" in told


def test_a_scheduler_without_workers(tmp_path: Path) -> None:
    with LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as empty:
        told = fails(settings(empty.scheduler_address), tmp_path / "w.duckdb")
    assert "has no worker" in told and "dask worker" in told


def test_workers_of_several_threads(tmp_path: Path) -> None:
    with LocalCluster(
        n_workers=1, threads_per_worker=3, processes=False, dashboard_address=":0"
    ) as wide:
        told = fails(settings(wide.scheduler_address), tmp_path / "w.duckdb")
    assert "3 threads" in told and "--nthreads 1" in told


def test_more_gpus_than_any_worker_has(cluster: LocalCluster, tmp_path: Path) -> None:
    told = fails(settings(cluster.scheduler_address, gpus=2), tmp_path / "w.duckdb")
    assert "no Dask worker has the resource GPU=2" in told


def test_workers_of_another_version(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = flows.__version__
    monkeypatch.setattr(flows, "__version__", "99.0")
    told = fails(settings(cluster.scheduler_address), tmp_path / "w.duckdb")
    assert f"has charthouse {there}, here it is 99.0" in told


def test_workers_that_do_not_see_what_is_shared(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = dask.question

    @contextmanager
    def of_another_disk(storage: Storage) -> Iterator[str]:
        with asked(storage):
            yield "probe-not-here/asked"

    monkeypatch.setattr(dask, "question", of_another_disk)
    address = cluster.scheduler_address
    assert "execution.staging" in fails(settings(address), tmp_path / "w.duckdb")
    staged = settings(address, staging=str(tmp_path / "shared"))
    assert "cannot use the staging" in fails(staged, tmp_path / "w.duckdb")


def test_workers_that_cannot_reach_prefect(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = settings(cluster.scheduler_address)
    monkeypatch.setattr(door, "network", lambda: "another machine")
    assert "temporary Prefect server" in fails(given, tmp_path / "w.duckdb")
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{free_port()}/api")
    assert "cannot reach the Prefect API" in fails(given, tmp_path / "w.duckdb")


def test_workers_without_the_secret_of_privacy_or_with_another(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, secret, other = (
        "CHARTHOUSE_PRIVACY_KEY",
        "a-secret-of-this-ward",
        "the-other-wards-secret",
    )
    monkeypatch.setenv(name, secret)
    given = Settings(
        execution={"runner": "dask", "address": cluster.scheduler_address},
        privacy={"mode": "mask"},
    )
    told = fails(given, tmp_path / "w.duckdb")
    assert "needs a secret" in told and f"as here, in environment variable {name}" in told
    with Client(cluster) as client:
        client.run(exec, f"import os; os.environ[{name!r}] = {other!r}")
        told = fails(given, tmp_path / "w.duckdb")
        assert "its secret of privacy is another one" in told
        assert secret not in told and other not in told
        client.run(exec, f"import os; os.environ[{name!r}] = {secret!r}")
        assert at_the_door(given, tmp_path / "w.duckdb").workers == 2
        client.run(exec, f"import os; del os.environ[{name!r}]")
    off = settings(cluster.scheduler_address)
    assert at_the_door(off, tmp_path / "w.duckdb").workers == 2


def test_staging_that_cannot_be_used(cluster: LocalCluster, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    given = settings(cluster.scheduler_address, staging=str(tmp_path / "file"))
    assert "cannot be written" in fails(given, tmp_path / "w.duckdb")
    secret = settings(cluster.scheduler_address, staging="s3://key:geheim@bucket")
    assert "geheim" not in fails(secret, tmp_path / "w.duckdb")
