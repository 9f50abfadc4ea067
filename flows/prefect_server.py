"""Prefect, offline: a temporary server where no API is configured, quiet, without telemetry.

One that dies in the middle of a run is started again on its port: Prefect's clients retry
meanwhile, and its database on disk knows the flow runs.

Prefect would start such a server itself, but one that outlives a killed run; this one does not.
Prefect is imported late here: it reads its settings from the environment when it is imported.
"""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flows.errors import CharthouseError
from flows.processes import die_with_parent

DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    # A flow that fails would print a stack trace; the command line prints one line instead.
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    # Nor would each event that a lost API does not take be worth a page.
    "PREFECT_INTERNAL_LOGGING_LEVEL": "CRITICAL",
    # Logs are not sent to the API: what is not sent cannot hold what it should not.
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # Python's resource tracker would complain of what killed workers could not clear away.
    "PYTHONWARNINGS": "ignore:resource_tracker",
}
"""Environment variables set where the user has not set them."""

_SERVER_ENVIRONMENT = {
    "PREFECT_UI_ENABLED": "0",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
}
START_SECONDS = 120.0
"""A fresh Prefect home is migrated first; two runs may start together."""

_MOST_STARTS = 5
"""A server that dies more often has a reason to: then the run ends with an error."""


_SCHEDULING_ENVIRONMENT = {
    "PREFECT_UI_ENABLED": "0",
    "PREFECT__SERVER_FINAL": "1",
    # Kept in memory, as by default, the lease of a run that was at work is lost with a killed
    # server: the run's place is never given free, and every later run is cancelled.
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": (
        "prefect.server.concurrency.lease_storage.filesystem"
    ),
}
"""A server that Prefect takes for ephemeral makes no runs of schedules."""


def quieten() -> None:
    """Set Prefect's defaults for here; before it is imported, since it reads them then."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    # A logger of its own that no setting reaches: where an API is lost it would have the last word.
    logging.getLogger("EventsWorker").setLevel(os.environ["PREFECT_LOGGING_LEVEL"].upper())


@contextmanager
def prefect_api(*, scheduling: bool = False) -> Iterator[str]:
    """Within the block Prefect has an API: the configured one, else a temporary server.

    Args:
        scheduling: whether a temporary server is to make the runs of schedules.

    Yields:
        The API's address.

    Raises:
        CharthouseError: the temporary server does not start.
    """
    quieten()
    if configured := configured_api():
        if not api_answers(configured):
            raise CharthouseError(
                "the Prefect API of PREFECT_API_URL or of your Prefect profile does not answer",
                "Start that server, or unset it: charthouse then starts a temporary one",
            )
        yield configured
        return
    for name in ("NO_PROXY", "no_proxy"):  # a proxy knows nothing of this machine's loopback
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1,localhost"]))
    server: TemporaryServer | None = None
    try:
        with _one_start_at_a_time():
            server = TemporaryServer(scheduling=scheduling)
            # Prefect reads the address when it is imported, which takes as long as the start.
            os.environ["PREFECT_API_URL"] = server.address
            import flows.pipeline  # noqa: F401

            server.wait()
        from prefect.settings import PREFECT_API_URL, temporary_settings

        with temporary_settings({PREFECT_API_URL: server.address}):
            yield server.address
    finally:
        os.environ.pop("PREFECT_API_URL", None)
        if server is not None:
            server.end()


@contextmanager
def _one_start_at_a_time() -> Iterator[None]:
    """Within the block no other charthouse starts a server over the same Prefect home.

    Two servers that bring one new database to their version at once make each other fail.
    """
    home = _home()
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / "charthouse-server.lock").open("w")
    except OSError as error:
        raise CharthouseError(
            f"Prefect's home {home} cannot be written ({error.strerror})",
            "Set PREFECT_HOME to a folder you can write",
        ) from None
    with lock:
        began = time.monotonic()
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() - began > START_SECONDS:
                    raise CharthouseError(
                        f"another temporary Prefect server over {home} is still starting",
                        "Try again, or set PREFECT_HOME to another folder",
                    ) from None
                time.sleep(0.1)
        yield  # the lock ends with the file


def _home() -> Path:
    return Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser()


def configured_api() -> str | None:
    """The address of the Prefect API that the user has configured, if any."""
    return os.environ.get("PREFECT_API_URL") or _profile_api()


def _profile_api() -> str | None:
    """The API address of the user's active Prefect profile, if there are profiles."""
    profiles = Path(os.environ.get("PREFECT_PROFILES_PATH", _home() / "profiles.toml"))
    try:
        known = tomllib.loads(profiles.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError):
        return None
    active = os.environ.get("PREFECT_PROFILE", known.get("active", ""))
    address = known.get("profiles", {}).get(active, {}).get("PREFECT_API_URL")
    return str(address) if address else None


class TemporaryServer:
    """A Prefect server on a port of its own, started anew when it dies; ends with this process."""

    def __init__(self, *, scheduling: bool = False) -> None:
        """Begin to start it; a thread looks after it until :meth:`end`.

        Args:
            scheduling: whether it is to make the runs of schedules.
        """
        self._environment = _SCHEDULING_ENVIRONMENT if scheduling else _SERVER_ENVIRONMENT
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self.address = f"http://127.0.0.1:{self._port}/api"
        self._has_answered = False
        self._gave_up = threading.Event()
        self._ending = threading.Event()
        # The process asks to die with this thread, and the thread lives as long as it may.
        self._keeper = threading.Thread(target=self._keep, name="prefect-server", daemon=True)
        self._keeper.start()

    def wait(self) -> None:
        """Wait until it answers for the first time.

        Raises:
            CharthouseError: it does not.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and not self._gave_up.is_set():
            if api_answers(self.address):
                self._has_answered = True
                return
            time.sleep(0.1)
        raise CharthouseError(
            "the temporary Prefect server did not start",
            "Run `charthouse doctor`, or set PREFECT_API_URL to a running server",
        )

    def end(self) -> None:
        """Stop the server."""
        self._ending.set()
        self._keeper.join()

    def _keep(self) -> None:
        for _ in range(_MOST_STARTS):
            process = _start(self._port, self._environment)
            while process.poll() is None:
                if self._ending.wait(0.2):
                    _stop(process)
                    return
            if self._ending.is_set() or not self._has_answered:
                break
        self._gave_up.set()


def _start(port: int, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "flows.prefect_server", str(os.getpid()), str(port)],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Ctrl-C is for the run: it ends the server when its last state is stored.
        process_group=0,
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def api_answers(address: str) -> bool:
    """Whether there is a Prefect API at an address."""
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=10) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        return error.code in {401, 403}  # it is there, and Prefect holds the key
    except (urllib.error.URLError, OSError, ValueError):
        return False


def _serve(parent: int, port: int) -> None:
    die_with_parent(parent)
    import uvicorn

    uvicorn.run(
        "prefect.server.api.server:create_app",
        factory=True,
        host="127.0.0.1",
        port=port,
        log_level="error",
        lifespan="on",
    )


if __name__ == "__main__":
    _serve(int(sys.argv[1]), int(sys.argv[2]))
