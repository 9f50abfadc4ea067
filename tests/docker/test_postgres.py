"""The Prefect server of docker/compose.yaml on a real PostgreSQL, its password from a file."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docker.dockerfile import services
from tests.docker.test_commands import free_port, healthy, in_venv, with_python
from tests.flows.prefect_processes import started
from tests.flows.runs import environment

PASSWORD = "only-in-a-file-4f1d"
BINARIES = next(
    (path.parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BINARIES is None, reason="PostgreSQL is not installed"),
]


@dataclass(frozen=True)
class Database:
    """A running PostgreSQL: its port, and the file with the password of its user `prefect`."""

    port: str
    password_file: Path


def owner() -> str | None:
    """Who may run PostgreSQL: nobody else than this user, but for root, whom it refuses."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")


@pytest.fixture
def database() -> Iterator[Database]:
    assert BINARIES is not None
    user, port = owner(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="charthouse-postgres-"))
    if user:
        shutil.chown(folder, user)
    secret = folder / "password"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o644)  # the folder is private
    settings = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"
    data = str(folder / "data")

    def call(program: str, *arguments: str) -> None:
        subprocess.run(
            [str(BINARIES / program), *arguments],
            user=user,
            cwd=folder,
            env=dict(os.environ) | {"PGPASSWORD": PASSWORD},
            stdout=subprocess.DEVNULL,
            timeout=240,
            check=True,
        )

    try:
        call("initdb", "-D", data, "-U", "prefect", f"--pwfile={secret}", "-A", "scram-sha-256")
        call("pg_ctl", "-D", data, "-w", "-o", settings, "-l", f"{folder}/log", "start")
        try:
            call("createdb", "-h", "127.0.0.1", "-p", port, "-U", "prefect", "prefect")
            yield Database(port, secret)
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_server_keeps_its_history_in_postgres(database: Database, tmp_path: Path) -> None:
    service, port = services()["prefect"], free_port()
    command = [port if word == "4200" else word for word in with_python(service["command"])]
    command[command.index("--host") + 1] = "127.0.0.1"
    settings = service["environment"] | {
        "PREFECT_SERVER_DATABASE_HOST": "127.0.0.1",
        "PREFECT_SERVER_DATABASE_PORT": database.port,
        "PREFECT_SERVER_DATABASE_PASSWORD_FILE": str(database.password_file),
        "PREFECT_HOME": str(tmp_path / "home"),
    }
    home, log = tmp_path / "home", tmp_path / "server.log"
    env = in_venv(environment(tmp_path) | settings)
    with started(command, log, env, tmp_path) as process:
        healthy("prefect", {"4200": port}, process, log)
        psql = ["psql", "-h", "127.0.0.1", "-p", database.port, "-U", "prefect", "prefect", "-Atc"]
        count = subprocess.run(
            [*psql, "SELECT count(*) FROM block_type"],
            env=dict(os.environ) | {"PGPASSWORD": PASSWORD},
            capture_output=True,
            text=True,
            check=True,
        )
        assert int(count.stdout) > 0
    assert not list(home.rglob("*.db"))
    assert PASSWORD not in log.read_text("utf-8")
