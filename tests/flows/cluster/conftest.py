"""Clusters that tests start on loopback, and the undisturbed local run they are compared with."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

import fsspec
import pytest
from distributed import Client

from flows.processes import die_with_parent
from tests.conftest import one_at_a_time
from tests.flows.conftest import write_jsonl
from tests.flows.runs import charthouse, contents, environment

Result = TypeVar("Result")

_COURSES = (
    "The patient has asthma and takes aspirin for chest pain. No fever was seen.",
    "His mother had breast cancer (BC). BC was treated with tamoxifen; there was no nausea.",
    "Chronic obstructive pulmonary disease (COPD) is stable. COPD is treated with prednisone.",
    "Possible pneumonia of the left lung; Staphylococcus aureus grew. Vancomycin was begun.",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_notes(
    warehouse: Path, notes: Path | str, home: Path, *more: str | Path, **variables: str
) -> None:
    """Run the notes into a warehouse; it must succeed."""
    done = charthouse(home, "run", notes, "--warehouse", warehouse, *more, **variables)
    assert done.returncode == 0, done.stderr


@dataclass
class DaskCluster:
    """A scheduler and two workers under nannies, each a process on loopback."""

    address: str
    client: Client

    def worker_pids(self) -> dict[str, int]:
        """Process ids of the workers (not of their nannies), by address."""
        return dict(self.client.run(os.getpid))

    def busy_worker(self, deadline: float = 120) -> int:
        """Process id of a worker that has a shard at work; waits for one."""
        pids = self.worker_pids()
        until = time.monotonic() + deadline
        while time.monotonic() < until:
            for worker, tasks in self.client.processing().items():
                if worker in pids and any("annotate" in str(task) for task in tasks):
                    return pids[worker]
            time.sleep(0.1)
        raise AssertionError("no worker was given a shard")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def small(prefect_address: str) -> dict[str, str]:
    """Small shards, several of them even of a few notes, and a Prefect server for all runs."""
    return {
        "CHARTHOUSE_EXECUTION__SHARD_CHARACTERS": "2500",
        "PREFECT_API_URL": prefect_address,
    }


@pytest.fixture
def alone_on_ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Ray takes a third of the memory and ports of the machine: one at a time."""
    with one_at_a_time(tmp_path_factory, "ray"):
        yield


@pytest.fixture(scope="session")
def notes(home: Path) -> Path:
    """A dozen notes, no two alike."""
    texts = (" ".join(_COURSES[(n + k) % 4] for k in range(6 + n)) for n in range(12))
    records = ({"note_id": str(n), "text": text} for n, text in enumerate(texts))
    return write_jsonl(home / "notes.jsonl", *records)


@pytest.fixture(scope="session")
def expected(home: Path, notes: Path, small: dict[str, str]) -> dict[str, list[tuple[object, ...]]]:
    """Tables of the notes, annotated by worker processes of this machine."""
    run_notes(home / "local.duckdb", notes, home, "--workers", "2", **small)
    return contents(home / "local.duckdb")


S3_KEYS = {
    "AWS_ACCESS_KEY_ID": "test-key",
    "AWS_SECRET_ACCESS_KEY": "test-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture(scope="session")
def s3() -> Iterator[None]:
    """An S3 server with the bucket ``ward``; where it is and its keys stand in the environment."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.flows.cluster.s3", str(port)],
        stderr=subprocess.DEVNULL,
        preexec_fn=partial(die_with_parent, os.getpid()),
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in S3_KEYS.items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{port}")
        try:
            _wait_for(lambda: fsspec.filesystem("s3", skip_instance_cache=True).mkdir("ward"))
            yield
        finally:
            process.kill()
            process.wait()


def _wait_for(act: Callable[[], Result], seconds: float = 60) -> Result:
    """Do what fails until something has started."""
    until = time.monotonic() + seconds
    while True:
        try:
            return act()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


@pytest.fixture(scope="module")
def dask_cluster(home: Path) -> Iterator[DaskCluster]:
    with _dask_cluster(home) as cluster:
        yield cluster


@pytest.fixture
def dask_cluster_on_s3(home: Path, s3: None) -> Iterator[DaskCluster]:
    """A cluster whose workers have the S3 server in their environment."""
    with _dask_cluster(home) as cluster:
        yield cluster


@pytest.fixture
def dask_cluster_with_secret(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DaskCluster]:
    """A cluster whose workers have the secret of privacy in their environment, as this process."""
    monkeypatch.setenv("CHARTHOUSE_PRIVACY_KEY", "the-secret-of-ward-seven")
    with _dask_cluster(home) as cluster:
        yield cluster


@contextmanager
def _dask_cluster(home: Path) -> Iterator[DaskCluster]:
    address = f"tcp://127.0.0.1:{free_port()}"
    with (home / "dask.log").open("ab") as log:
        processes = [
            _start(log, home, "scheduler", "--host", address),
            _start(log, home, "worker", address, "--nthreads", "1", "--nworkers", "2"),
        ]
        try:
            client = _wait_for(lambda: Client(address, timeout=5, set_as_default=False))
            with client:
                client.wait_for_workers(2, timeout=60)
                yield DaskCluster(address, client)
        finally:
            for process in reversed(processes):
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)


def _start(log: IO[bytes], home: Path, kind: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "dask", kind, "--no-dashboard", *arguments],
        env=environment(home, OMP_NUM_THREADS="1"),
        stdout=log,
        stderr=log,
        start_new_session=True,
        preexec_fn=partial(die_with_parent, os.getpid()),
    )
