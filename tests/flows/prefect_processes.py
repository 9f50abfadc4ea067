"""A Prefect server and what belongs to it, as processes that tests start and see ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.flows.runs import environment

PREFECT = (sys.executable, "-m", "prefect")
DEADLINE = 240.0
"""Seconds that anything here may take: machines are slow at times."""

_FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


def wait_for(what: str, found: Callable[[], Any]) -> Any:
    """What ``found`` returns, as soon as it is true."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if answer := found():
            return answer
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {DEADLINE:.0f} s")


def ask(url: str, body: object | None = None) -> Any:
    """A Prefect API's answer: to a POST where there is a body, else to a GET.

    A server on SQLite says 503 while its database is busy.
    """
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    end = time.monotonic() + DEADLINE
    while True:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            if error.code != 503 or time.monotonic() > end:
                raise
            time.sleep(1.0)


def answers(url: str) -> bool:
    """Whether there is a healthy API."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=10) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def started(
    command: Sequence[str], log: Path, env: dict[str, str], cwd: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own; at the end all of that session is gone."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env=env, cwd=cwd, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield process
    finally:
        for signum, seconds in ((signal.SIGTERM, 15.0), (signal.SIGKILL, 15.0)):
            members = session_of(process.pid)
            for pid in members:
                with suppress(ProcessLookupError):
                    os.kill(pid, signum)
            end = time.monotonic() + seconds
            while time.monotonic() < end and session_of(process.pid):
                process.poll()  # reaps it
                time.sleep(0.1)
        process.wait(timeout=15)


def session_of(leader: int) -> list[int]:
    """Ids of the living processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session, *_ = stat.read_text("utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        if int(session) == leader and state != "Z":
            found.append(int(stat.parent.name))
    return found


class PrefectServer:
    """A running server: its API's address, and the environment of its clients."""

    def __init__(self, api: str, folder: Path) -> None:
        """Clients have homes of their own under ``folder``."""
        self.api = api
        self.folder = folder
        self.environment = environment(
            folder,
            PREFECT_API_URL=api,
            PREFECT_WORKER_QUERY_SECONDS="1",
            PREFECT_LOGGING_TO_API_ENABLED="false",
            DO_NOT_TRACK="1",
        )

    def prefect(self, *arguments: str, **more: str) -> str:
        """Call Prefect's command line, and return what it prints."""
        done = subprocess.run(
            [*PREFECT, "--no-prompt", *arguments],
            env=self.environment | more,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def deployment(self, name: str) -> dict[str, Any]:
        """A deployment by ``flow/deployment``."""
        return dict(ask(f"{self.api}/deployments/name/{name}"))

    def begin(self, name: str, **parameters: str) -> str:
        """Start a deployment as a person would, and return the id of its flow run."""
        deployment = self.deployment(name)["id"]
        wanted = {"parameters": parameters}
        return str(ask(f"{self.api}/deployments/{deployment}/create_flow_run", wanted)["id"])

    def ended(self, run: str) -> dict[str, Any]:
        """A flow run, once it has ended."""

        def final() -> dict[str, Any] | None:
            flow_run = ask(f"{self.api}/flow_runs/{run}")
            return dict(flow_run) if flow_run["state_type"] in _FINAL else None

        return dict(wait_for("the flow run ends", final))

    def trigger(self, name: str, **parameters: str) -> dict[str, Any]:
        """Start a deployment, and return its flow run when it has ended."""
        return self.ended(self.begin(name, **parameters))


@contextmanager
def prefect_server(folder: Path) -> Iterator[PrefectServer]:
    """A server on loopback with a database of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = PrefectServer(f"http://127.0.0.1:{port}/api", folder)
    home = environment(
        folder,
        PREFECT_HOME=str(folder / "server"),
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
        PREFECT_UI_ENABLED="false",
        DO_NOT_TRACK="1",
    )
    command = [*PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with ExitStack() as stack:
        log = folder / "server.log"
        process = stack.enter_context(started(command, log, home, folder))
        wait_for(
            "the Prefect server answers",
            lambda: answers(server.api) or process.poll() is not None,
        )
        assert process.poll() is None, log.read_text("utf-8", "replace")
        yield server
