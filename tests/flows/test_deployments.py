"""Deployments from prefect.yaml and `charthouse serve`, with real servers, workers and triggers."""

from __future__ import annotations

import inspect
import json
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from flows.bundled import SAMPLE_ONTOLOGY
from flows.deployments import DEPLOYABLE
from flows.serving import forget_missed
from tests.conftest import ROOT
from tests.flows.conftest import write_jsonl
from tests.flows.prefect_processes import (
    PREFECT,
    PrefectServer,
    ask,
    prefect_server,
    session_of,
    started,
    wait_for,
)
from tests.flows.runs import COMMAND, environment, query

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

NAMES = ("annotate", "relink", "ontology-build", "evaluate", "generate")
JOB = """\
sources = ["watched"]
[warehouse]
path = "w.duckdb"
[execution]
workers = 1
[ner]
models = []
[dictionary]
stores = ["sample"]
"""
"""A dictionary in place of a model: workers start sooner."""
MARKER = "Zebrafinchitis"
"""Stands in texts, in the names of source files and in ids, and nowhere else."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    with prefect_server(tmp_path_factory.mktemp("prefect")) as running:
        yield running


@pytest.fixture(scope="module")
def jobs(server: PrefectServer) -> Path:
    """A folder with a job file of every kind, and a watched folder with one note."""
    folder = server.folder / "jobs"
    (folder / "watched").mkdir(parents=True)
    text = f"The patient has asthma and takes aspirin. {MARKER}."
    write_jsonl(folder / "watched" / f"{MARKER}-a.jsonl", {"id": f"{MARKER}-1", "text": text})
    (folder / "annotate.toml").write_text(JOB)
    (folder / "relink.toml").write_text('ontologies = ["store"]\n' + JOB)
    (folder / "ontology-build.toml").write_text(
        f'[ontology_build]\nout = "store"\nmesh = ["{SAMPLE_ONTOLOGY}"]\nsemantic_types = ["C"]\n'
    )
    gold = f"1|t|Asthma.\n1|a|{MARKER}.\n1\t0\t6\tAsthma\tDisease\tMESH:D001249\n\n"
    (folder / f"{MARKER}.pubtator").write_text(gold)
    (folder / "evaluate.toml").write_text(
        '[warehouse]\npath = "w.duckdb"\n[evaluate]\ntask = "linking"\nontology = "store"\n'
        f'gold = ["{MARKER}.pubtator"]\n'
    )
    (folder / "generate.toml").write_text(
        '[warehouse]\npath = "w.duckdb"\n[generate]\ntask = "relations"\n'
    )
    return folder


@pytest.fixture(scope="module")
def deployed(server: PrefectServer, jobs: Path) -> PrefectServer:
    """The server with everything in prefect.yaml deployed."""
    server.prefect("work-pool", "create", "charthouse", "--type", "process")
    server.prefect("work-pool", "create", "charthouse-docker", "--type", "docker")
    yaml = str(ROOT / "prefect.yaml")
    server.prefect("deploy", "--all", "--prefect-file", yaml, CHARTHOUSE_JOBS=str(jobs))
    return server


@pytest.fixture(scope="module")
def worker(deployed: PrefectServer) -> Iterator[PrefectServer]:
    """The same with a process worker at work."""
    command = [*PREFECT, "worker", "start", "--pool", "charthouse", "--type", "process"]
    log = deployed.folder / "worker.log"
    with started(command, log, deployed.environment, deployed.folder):
        yield deployed


def name_of(job: str, suffix: str = "") -> str:
    return f"charthouse-job-{job}/{job}{suffix}"


def test_every_deployment_runs_one_at_a_time_in_its_pool(
    deployed: PrefectServer, jobs: Path
) -> None:
    for job in NAMES:
        local = deployed.deployment(name_of(job))
        assert local["parameters"] == {"job": str(jobs / f"{job}.toml")}
        assert local["work_pool_name"] == "charthouse"
        container = deployed.deployment(name_of(job, "-docker"))
        assert container["parameters"] == {"job": f"/jobs/{job}.toml"}
        assert container["work_pool_name"] == "charthouse-docker"
        assert not container["job_variables"]["image"].endswith(":latest")
        for deployment in (local, container):
            assert deployment["global_concurrency_limit"]["limit"] == 1
            assert deployment["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
            assert not deployment["pull_steps"]


def test_schedule_makes_runs(deployed: PrefectServer) -> None:
    """SQLAlchemy 2.1 would make none, without a word."""
    deployment = deployed.deployment(name_of("annotate"))
    assert [schedule["schedule"]["cron"] for schedule in deployment["schedules"]] == ["0 2 * * *"]
    wanted = {
        "deployments": {"id": {"any_": [deployment["id"]]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    runs = wait_for(
        "the scheduler makes runs", lambda: ask(f"{deployed.api}/flow_runs/filter", wanted)
    )
    assert all(run["expected_start_time"][11:16] == "02:00" for run in runs)


def test_triggered_deployments_change_the_tables(worker: PrefectServer, jobs: Path) -> None:
    warehouse = jobs / "w.duckdb"
    first = worker.trigger(name_of("annotate"))
    assert (first["state_type"], first["state_name"]) == ("COMPLETED", "Completed"), first["state"]
    assert first["state"]["message"] == "1 new and 0 changed documents"
    assert query(warehouse, "SELECT count(*) FROM documents") == [(1,)]

    # A file comes into the watched folder, and one of its records is none.
    added = jobs / "watched" / f"{MARKER}-b.jsonl"
    write_jsonl(added, {"id": "2", "text": "Metformin for diabetes."}, {"id": "3", "text": ""})
    second = worker.trigger(name_of("annotate"))
    assert second["state_type"] == "COMPLETED"
    assert second["state_name"] == "CompletedWithRejects"
    assert second["state"]["message"] == "1 new and 0 changed documents, 1 new rejects"
    assert query(warehouse, "SELECT count(*) FROM documents") == [(2,)]
    known_and_new = query(warehouse, "SELECT skipped, new FROM runs ORDER BY started_at")
    assert known_and_new == [(0, 1), (1, 1)]

    third = worker.trigger(name_of("annotate"))
    assert third["state_name"] == "Completed"
    assert query(warehouse, "SELECT count(*) FROM documents") == [(2,)]

    built = worker.trigger(name_of("ontology-build"))
    assert built["state_name"] == "Completed", built["state"]
    relinked = worker.trigger(name_of("relink"))
    assert relinked["state_name"] == "Completed", relinked["state"]
    assert relinked["state"]["message"].startswith("names: ")
    ((current,),) = query(
        warehouse,
        "SELECT r.path FROM linksets l JOIN ontology_releases r USING (release_id) "
        "WHERE l.is_current",
    )
    assert current == str(jobs / "store")
    judged = worker.trigger(name_of("evaluate"))
    assert judged["state_name"] == "Completed", judged["state"]
    assert query(warehouse, "SELECT count(*) > 0 FROM evaluations") == [(True,)]

    flows = {run["name"] for run in ask(f"{worker.api}/flows/filter", {})}
    assert {"charthouse", "charthouse-relink", "charthouse-evaluate"} <= flows


def test_failed_job_is_failed_and_prefect_is_not_told_its_words(
    worker: PrefectServer, jobs: Path
) -> None:
    job = jobs / "annotate.toml"
    job.write_text(JOB.replace('"watched"', f'"no-{MARKER}"'))
    try:
        failed = worker.trigger(name_of("annotate"))
    finally:
        job.write_text(JOB)
    assert failed["state_type"] == "FAILED"
    assert failed["state"]["message"] == "SourceError: the worker's log says which"
    assert f"no-{MARKER} does not exist" in (worker.folder / "worker.log").read_text("utf-8")
    kept = [ask(f"{worker.api}/{what}/filter", {}) for what in ("flow_runs", "artifacts", "logs")]
    assert any(artifact["key"] == "charthouse-run" for artifact in kept[1])
    database = b"".join(
        path.read_bytes() for path in (worker.folder / "server").rglob("*") if path.is_file()
    )
    assert MARKER not in json.dumps(kept)
    assert MARKER.encode() not in database


@pytest.mark.parametrize(("signum", "runs"), [(signal.SIGINT, 2), (signal.SIGTERM, 1)])
def test_serving_takes_new_files_and_ends_cleanly(
    server: PrefectServer, tmp_path: Path, signum: signal.Signals, runs: int
) -> None:
    watched = tmp_path / "watched"
    watched.mkdir()
    write_jsonl(watched / "a.jsonl", {"id": "1", "text": "Asthma after aspirin."})
    name = f"served-{signum.name.lower()}"
    (tmp_path / f"{name}.toml").write_text(JOB)
    command = [*COMMAND, "serve", str(tmp_path / f"{name}.toml"), "--cron", "0 2 1 1 *"]
    log = tmp_path / "serve.log"
    impatient = server.environment | {"PREFECT_RUNNER_POLL_FREQUENCY": "1"}
    with started(command, log, impatient, tmp_path) as process:
        full = f"charthouse-job-annotate/{name}"
        wait_for("it is deployed", lambda: is_ready(server, full) or process.poll() is not None)
        assert process.poll() is None, log.read_text("utf-8")
        for known in range(1, runs + 1):
            ended = server.trigger(full)
            assert ended["state_name"] == "Completed", ended["state"]
            rows = query(tmp_path / "w.duckdb", "SELECT count(*) FROM documents")
            assert rows == [(known,)]
            write_jsonl(watched / f"{known}.jsonl", {"id": f"new-{known}", "text": "Fever."})
        process.send_signal(signum)
        assert process.wait(timeout=120) == 0, log.read_text("utf-8")
        assert session_of(process.pid) == []
    told = log.read_text("utf-8")
    assert "stopped serving" in told
    assert "Traceback" not in told
    assert server.deployment(full)["paused"] is True


def is_ready(server: PrefectServer, name: str) -> bool:
    """Whether a deployment is there and takes runs."""
    try:
        deployment = server.deployment(name)
    except OSError:  # not found yet
        return False
    return not deployment["paused"]


def test_serving_without_a_server_does_what_falls_due(tmp_path: Path) -> None:
    """No Prefect API is configured: the command brings a server that makes runs of schedules."""
    (tmp_path / "watched").mkdir()
    write_jsonl(tmp_path / "watched" / "a.jsonl", {"id": "1", "text": "Asthma."})
    (tmp_path / "own.toml").write_text(JOB)
    own = environment(tmp_path, PREFECT_RUNNER_POLL_FREQUENCY="1")
    command = [*COMMAND, "serve", str(tmp_path / "own.toml"), "--interval", "20"]
    warehouse, log = tmp_path / "w.duckdb", tmp_path / "serve.log"
    with started(command, log, own, tmp_path) as process:
        wait_for(
            "a run that fell due ends",
            lambda: is_done(warehouse) or process.poll() is not None,
        )
        assert process.poll() is None, log.read_text("utf-8")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=120) == 0, log.read_text("utf-8")
        assert session_of(process.pid) == []
    assert query(warehouse, "SELECT count(*) FROM documents") == [(1,)]
    # On disk, so that the place of a run that is killed with the server is given free in time.
    assert (tmp_path / "prefect" / "concurrency_leases").is_dir()


def is_done(warehouse: Path) -> bool:
    """Whether a run has ended in a warehouse; one that is being written is not done."""
    try:
        return query(warehouse, "SELECT count(*) > 0 FROM runs WHERE status = 'done'") == [(True,)]
    except duckdb.Error:
        return False


def test_missed_runs_are_forgotten_and_asked_ones_are_not(server: PrefectServer) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: server.api}):
        deployment = DEPLOYABLE["relink"].to_deployment(
            "missed", interval=1, parameters={"job": "/nowhere.toml"}
        )
        assert not inspect.isawaitable(deployment)
        made = deployment.apply()
        asked = ask(f"{server.api}/deployments/{made}/create_flow_run", {})["id"]

        def due(at: str) -> list[str]:
            wanted = {
                "deployments": {"id": {"any_": [str(made)]}},
                "flow_runs": {
                    "state": {"type": {"any_": ["SCHEDULED"]}},
                    "expected_start_time": {"before_": at},
                },
            }
            return [run["id"] for run in ask(f"{server.api}/flow_runs/filter", wanted)]

        wait_for("runs are missed", lambda: len(due(str(datetime.now(UTC)))) > 3)
        at = str(datetime.now(UTC))
        assert forget_missed([deployment]) >= 3
        assert due(at) == [asked]
