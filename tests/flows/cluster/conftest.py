"""Clusters that tests start on loopback, and the undisturbed local run they are compared with."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

import fsspec
import pytest
from distributed import Client

from flows.bundled import SAMPLE_SOURCES
from tests.flows.runs import charthouse, contents, environment

Result = TypeVar("Result")

SMALL = {"CHARTHOUSE_EXECUTION__SHARD_CHARACTERS": "20000"}
"""Small shards: several of them even of the sample."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_sample(warehouse: Path, home: Path, *more: str | Path, **environment: str) -> None:
    """Run the sample into a warehouse; it must succeed."""
    done = charthouse(
        home, "run", *SAMPLE_SOURCES, "--warehouse", warehouse, *more, **SMALL, **environment
    )
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


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def expected(home: Path) -> dict[str, list[tuple[object, ...]]]:
    """Tables of the sample, annotated by worker processes of this machine."""
    run_sample(home / "local.duckdb", home, "--workers", "2")
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
    process = subprocess.Popen([sys.executable, "-m", "tests.flows.cluster.s3", str(port)])
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
    address = f"tcp://127.0.0.1:{free_port()}"
    with (home / "dask.log").open("wb") as log:
        scheduler = _start(log, home, "scheduler", "--host", address)
        workers = _start(log, home, "worker", address, "--nthreads", "1", "--nworkers", "2")
        try:
            client = _wait_for(lambda: Client(address, timeout=5, set_as_default=False))
            with client:
                client.wait_for_workers(2, timeout=60)
                yield DaskCluster(address, client)
        finally:
            for process in (workers, scheduler):
                process.send_signal(signal.SIGTERM)
            for process in (workers, scheduler):
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
    )
