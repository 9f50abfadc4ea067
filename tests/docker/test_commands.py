"""Every command of the image and the compose files, outside a container, on loopback."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.docker.dockerfile import DOCKER, instructions, services
from tests.flows.prefect_processes import DEADLINE, PrefectServer, started, wait_for
from tests.flows.runs import environment

SECRET = "4f1d-not-for-anyone"
INSIDE = "/opt/charthouse/"
"""Where the image has what the repository has in docker/ and at its root."""


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def outside(argument: str) -> str:
    """An argument as it is outside the image: files of the repository, this Python."""

    def here(found: re.Match[str]) -> str:
        name = found[1]
        return str((ROOT if name == "prefect.yaml" else DOCKER) / name)

    return re.sub(re.escape(INSIDE) + r"([\w.]+)", here, argument)


def with_python(words: list[str]) -> list[str]:
    return [sys.executable if word == "python" else outside(word) for word in words]


def in_venv(env: dict[str, str]) -> dict[str, str]:
    """The environment with this interpreter's commands first, as in the image."""
    return env | {"PATH": f"{Path(sys.executable).parent}:{env['PATH']}"}


def health(url: str) -> int:
    """Exit code of the image's health check."""
    (step,) = (step for step in instructions() if step.word == "HEALTHCHECK")
    command = with_python(json.loads(step.rest.partition("CMD")[2]))
    return subprocess.run(
        command, env={**os.environ, "HEALTH_URL": url}, timeout=60, check=False
    ).returncode


def healthy(name: str, ports: dict[str, str], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a service's own health check says that it is well."""
    url = services()[name]["environment"]["HEALTH_URL"]
    assert url.startswith("http://127.0.0.1:")
    for inside, port in ports.items():
        url = url.replace(f":{inside}/", f":{port}/")
    wait_for(f"{name} is well", lambda: health(url) == 0 or process.poll() is not None)
    assert process.poll() is None, log.read_text("utf-8", "replace")


def test_health_check_of_a_job_that_serves_nothing_is_well() -> None:
    assert health("") == 0
    assert health(f"http://127.0.0.1:{free_port()}/health") == 1
    assert health("no address") == 1


def test_secrets_come_from_files_and_stay_out_of_the_command(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(SECRET + "\n")
    program = (
        "import os; print(os.environ['UMLS_API_KEY'], 'UMLS_API_KEY_FILE' in os.environ); "
        "print(open('/proc/self/cmdline').read().replace(chr(0), ' '))"
    )
    script = str(DOCKER / "with_secrets.py")
    command = [sys.executable, script, sys.executable, "-c", program]
    env = dict(os.environ) | {"UMLS_API_KEY_FILE": str(file)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    value, its_command = done.stdout.split("\n")[:2]
    assert value == f"{SECRET} False"
    assert SECRET not in its_command and script not in its_command
    env["UMLS_API_KEY_FILE"] = str(tmp_path / "nowhere")
    missing = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert missing.returncode == 1 and "UMLS_API_KEY" in missing.stderr
    nothing = subprocess.run([*command[:2], "/no/such"], capture_output=True, check=False)
    assert nothing.returncode == 1


def test_secrets_of_compose_files_are_those_the_script_knows() -> None:
    spec = importlib.util.spec_from_file_location("with_secrets", DOCKER / "with_secrets.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    own = {
        variable.removesuffix("_FILE")
        for service in services().values()
        if service["image"].startswith("charthouse:")
        for variable in service.get("environment", {})
        if variable.endswith("_FILE")
    }
    assert own and own <= set(module.SECRETS)


def test_command_of_the_image_starts() -> None:
    (step,) = (step for step in instructions() if step.word == "CMD")
    program, *arguments = step.words
    assert program == "charthouse"
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments], capture_output=True, text=True, check=True
    )
    assert "SQL tables out" in done.stdout


def test_no_command_is_left_out() -> None:
    """A service that is new here needs a test below."""
    assert set(services()) == {
        "database",
        "prefect",
        "deploy",
        "worker",
        "dask-scheduler",
        "dask-cpu",
        "dask-gpu",
    }


@pytest.mark.skipif(not shutil.which("pg_isready"), reason="PostgreSQL's client is not installed")
def test_check_of_the_database_is_understood() -> None:
    program, *arguments = services()["database"]["healthcheck"]["test"][1:]
    nobody = dict(os.environ) | {"PGHOST": "127.0.0.1", "PGPORT": free_port()}
    done = subprocess.run([program, *arguments], env=nobody, capture_output=True, check=False)
    assert done.returncode == 2  # no answer; 3 is an argument that it does not know


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    """The service `prefect`, on SQLite and another port, by its own command and health check."""
    folder = tmp_path_factory.mktemp("compose")
    port = free_port()
    service: dict[str, Any] = services()["prefect"]
    command = [port if word == "4200" else word for word in with_python(service["command"])]
    command[command.index("--host") + 1] = "127.0.0.1"
    settings = {
        name: value
        for name, value in service["environment"].items()
        if not name.startswith("PREFECT_SERVER_DATABASE")
    } | {"PREFECT_HOME": str(folder / "server")}
    env = in_venv(environment(folder) | settings)
    log = folder / "server.log"
    with started(command, log, env, folder) as process:
        healthy("prefect", {"4200": port}, process, log)
        yield PrefectServer(f"http://127.0.0.1:{port}/api", folder)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_server_deploys_and_its_worker_is_well(server: PrefectServer) -> None:
    client = {**services()["deploy"]["environment"], "PREFECT_API_URL": server.api}
    shell, flag, script = services()["deploy"]["command"]
    done = subprocess.run(
        [shell, flag, outside(script)],
        env=in_venv(server.environment | client),
        cwd=server.folder,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for job in ("annotate", "relink", "ontology-build", "evaluate", "generate"):
        deployment = server.deployment(f"charthouse-job-{job}/{job}")
        path = Path(deployment["parameters"]["job"])
        assert path == Path("/jobs") / f"{job}.toml"
        assert (DOCKER / "jobs" / path.name).is_file()
        assert deployment["work_pool_name"] == "charthouse"

    worker = services()["worker"]
    port = free_port()
    env = {
        **{k: v for k, v in worker["environment"].items() if k.startswith("PREFECT")},
        "PREFECT_API_URL": server.api,
        "PREFECT_WORKER_WEBSERVER_PORT": port,
    }
    log = server.folder / "worker.log"
    everything = in_venv(server.environment | env)
    with started(with_python(worker["command"]), log, everything, server.folder) as process:
        healthy("worker", {"8080": port}, process, log)


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("distributed"), reason="Dask is not installed")
@pytest.mark.parametrize("name", ["dask-cpu", "dask-gpu"])
def test_scheduler_and_workers_find_each_other(tmp_path: Path, name: str) -> None:
    ports = {"8786": free_port(), "8787": free_port(), "8788": free_port()}

    def command(service: str) -> list[str]:
        text = shlex.join(with_python(services()[service]["command"]))
        for inside, port in ports.items():
            text = text.replace(inside, port)
        text = text.replace("dask-scheduler", "127.0.0.1").replace("0.0.0.0", "127.0.0.1")
        return shlex.split(text)

    env = in_venv(environment(tmp_path))
    scheduler_log, worker_log = tmp_path / "scheduler.log", tmp_path / "worker.log"
    with started(command("dask-scheduler"), scheduler_log, env, tmp_path) as scheduler:
        healthy("dask-scheduler", ports, scheduler, scheduler_log)
        with started(command(name), worker_log, env, tmp_path) as worker:
            healthy(name, ports, worker, worker_log)
            from distributed import Client

            address = f"tcp://127.0.0.1:{ports['8786']}"
            with Client(address, timeout=60) as client:
                client.wait_for_workers(1, timeout=120)
                (known,) = client.scheduler_info()["workers"].values()
            assert known["nthreads"] == 1
            assert known["resources"] == ({"GPU": 1.0} if name == "dask-gpu" else {})
