"""Images and compose files without an engine: pinned, non-root, without secrets, complete."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import flows
from flows.job_settings import EvaluateSettings, GenerateSettings, OntologyBuildSettings
from flows.settings import load_settings
from tests.conftest import ROOT
from tests.docker.dockerfile import COMPOSE_FILES, DOCKER, compose, instructions, merged, services

CONSTRAINTS = dict(
    line.lower().split("==")
    for line in (ROOT / "constraints.txt").read_text("utf-8").split("\n")
    if "==" in line and not line.startswith("#")
)
SECRET_NAME = re.compile(
    r"PASSWORD|PASSWD|SECRET|TOKEN|API_KEY|AUTH_STRING|PRIVACY_KEY", re.IGNORECASE
)
ARGUMENTS = dict(
    step.rest.split("=", 1) for step in instructions() if step.word == "ARG" and "=" in step.rest
)


def expanded(text: str) -> str:
    """Build arguments put in, by their defaults."""
    return re.sub(r"\$\{(\w+)\}", lambda found: ARGUMENTS[found[1]], text)


# ---------------------------------------------------------------- the image


def test_stages_follow_the_build_argument() -> None:
    named = {}
    for step in instructions():
        if step.word == "FROM":
            base, _, name = step.words
            named[name] = base
    devices = {name.removeprefix("torch-") for name in named if name.startswith("torch-")}
    assert devices == {"cpu", "cuda"} and ARGUMENTS["DEVICE"] == "cpu"
    assert named["packages"] == "torch-${DEVICE}"
    asked = {
        service["build"]["args"]["DEVICE"] for service in services().values() if "build" in service
    }
    assert asked == devices


def test_bases_and_images_are_pinned() -> None:
    stages = {step.words[-1] for step in instructions() if step.word == "FROM"}
    bases = {expanded(step.words[0]) for step in instructions() if step.word == "FROM"} - stages
    images = {service["image"] for service in services().values()}
    assert bases and images
    for reference in bases | images:
        name, _, tag = reference.partition(":")
        assert name and re.match(r"\d", tag), f"{reference} is not pinned to a version"
        assert "latest" not in reference


def test_own_images_carry_this_version() -> None:
    references = [service["image"] for service in services().values()]
    yaml_text = (ROOT / "prefect.yaml").read_text("utf-8")
    references += re.findall(r'image: "(.+)"', yaml_text)
    references += re.findall(r"charthouse:[\w.-]+", (DOCKER / "Dockerfile").read_text("utf-8"))
    own = {reference for reference in references if reference.startswith("charthouse:")}
    assert own == {f"charthouse:{flows.__version__}-{kind}" for kind in ("cpu", "cuda")}
    (label,) = re.findall(r'image\.version="(.+?)"', (DOCKER / "Dockerfile").read_text("utf-8"))
    assert label == flows.__version__


def test_versions_in_files_are_those_of_the_constraints() -> None:
    pinned = [
        pin
        for step in instructions()
        if step.word == "RUN"
        for pin in re.findall(r"([\w.-]+)==([\w.]+)", step.rest)
    ]
    assert {name for name, _ in pinned} >= {"torch"}
    for name, version in pinned:
        assert CONSTRAINTS[name.lower()] == version, name
    installs = [
        step.rest for step in instructions() if step.word == "RUN" and "pip install" in step.rest
    ]
    assert all(
        "==" in step or "-c constraints.txt" in step or "--no-deps ." in step for step in installs
    )
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))
    assert deployments["prefect-version"] == CONSTRAINTS["prefect"]
    bases = re.findall(r"python:(\d+)\.(\d+)", (DOCKER / "Dockerfile").read_text("utf-8"))
    assert set(bases) <= {("3", "11"), ("3", "12")} and len(set(bases)) == 1


def test_what_is_copied_exists_and_reaches_the_builder() -> None:
    ignored = [
        line
        for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert ignored[0] == "*"
    allowed = [line[1:] for line in ignored if line.startswith("!")]
    copied = [
        source
        for step in instructions()
        if step.word == "COPY" and "--from" not in step.rest
        for source in step.words[:-1]
    ]
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(fnmatch.fnmatch(source, pattern) for pattern in allowed), source
    assert not any(
        (ROOT / name).is_dir() and name.startswith((".git", "tests")) for name in allowed
    )


def test_last_stage_is_nobody_special_and_has_a_health_check() -> None:
    last = max(step.stage for step in instructions())
    steps = [step for step in instructions() if step.stage == last]
    (user,) = (step.rest for step in steps if step.word == "USER")
    uid, gid = user.split(":")
    assert int(uid) >= 1000 and int(gid) >= 1000
    (check,) = (step for step in steps if step.word == "HEALTHCHECK")
    script = json.loads(check.rest.partition("CMD")[2])[1]
    (scripts,) = (
        step.words for step in steps if step.word == "COPY" and "healthcheck.py" in step.rest
    )
    assert script in {scripts[-1] + Path(source).name for source in scripts[:-1]}
    assert not any(step.word == "ENTRYPOINT" for step in steps)  # work pools give a command
    for name, service in services().items():
        if service["image"].startswith("charthouse:"):
            assert service["user"] == user, name
            assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name


def test_no_secret_stands_in_image_or_compose_file() -> None:
    for step in instructions():
        if step.word in {"ENV", "ARG"}:
            assert not SECRET_NAME.search(step.rest), step.rest
    for name, service in services().items():
        for variable in service.get("environment", {}):
            if SECRET_NAME.search(variable):
                assert variable.endswith("_FILE"), f"{name}: {variable}"
                assert service["environment"][variable].startswith("/run/secrets/")
                assert service["secrets"]


def test_linter_finds_nothing() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [str(linter), str(DOCKER / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


# ---------------------------------------------------------------- compose files


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_compose_file_follows_the_published_schema(name: str) -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text("utf-8"))
    file = compose(name)
    file.pop("name", None)  # came to the specification after this edition of its schema
    errors = list(jsonschema.Draft201909Validator(schema).iter_errors(file))
    assert not errors, [f"{error.json_path}: {error.message}" for error in errors]


def test_schema_refuses_what_compose_would_refuse() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text("utf-8"))
    wrong: dict[str, Any] = {"services": {"a": {"image": "b:1", "helthcheck": {}}}}
    assert list(jsonschema.Draft201909Validator(schema).iter_errors(wrong))


def test_services_name_only_what_is_defined() -> None:
    whole = merged()
    for name, service in whole["services"].items():
        for other, how in service.get("depends_on", {}).items():
            assert other in whole["services"], f"{name} waits for {other}"
            needs_check = how["condition"] == "service_healthy"
            watched = whole["services"][other]
            assert (
                not needs_check
                or "HEALTH_URL" in watched["environment"]
                or ("healthcheck" in watched)
            )
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            assert source.startswith("${") or source in whole["volumes"], f"{name}: {mount}"
        for secret in service.get("secrets", []):
            assert secret in whole["secrets"], f"{name}: {secret}"


def test_ports_are_open_on_loopback_only() -> None:
    for name, service in services().items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name}: {port}"


def test_leases_of_the_server_outlive_its_container() -> None:
    """Else a run that is killed together with the server keeps its place for ever."""
    server = services()["prefect"]
    assert server["environment"]["PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE"].endswith(".filesystem")
    home = server["environment"]["PREFECT_HOME"]
    assert f"prefect:{home}" in server["volumes"]
    assert any(home in step.words for step in instructions() if step.word == "RUN")


def test_gpu_workers_ask_for_one_gpu_each() -> None:
    gpu = services()["dask-gpu"]
    (device,) = gpu["deploy"]["resources"]["reservations"]["devices"]
    assert device["driver"] == "nvidia" and device["count"] == 1
    assert device["capabilities"] == ["gpu"]
    command = gpu["command"]
    assert command[command.index("--resources") + 1] == "GPU=1"
    assert not any(
        "devices" in str(service) for n, service in services().items() if n != "dask-gpu"
    )


def test_workers_of_a_cluster_see_what_they_need() -> None:
    mounts = {
        name: {mount.split(":")[-2 if mount.endswith(":ro") else -1] for mount in s["volumes"]}
        for name, s in services().items()
        if name in {"worker", "dask-cpu", "dask-gpu"}
    }
    assert mounts["dask-cpu"] == mounts["dask-gpu"] == {"/staging", "/models"}
    assert mounts["worker"] > mounts["dask-cpu"]  # it alone reads sources and writes the warehouse


def test_settings_in_the_environment_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        variable: value
        for service in services().values()
        for variable, value in service.get("environment", {}).items()
        if variable.startswith("CHARTHOUSE_") and "__" in variable
    }
    assert given
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    execution = load_settings(None, {}).execution
    assert execution.runner == "dask"
    assert str(execution.staging) == "/staging"


# ---------------------------------------------------------------- job files and deployments


def test_job_files_of_the_image_are_read_as_settings() -> None:
    jobs = {path.stem: load_settings(path, {}) for path in (DOCKER / "jobs").glob("*.toml")}
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]
    named = {Path(deployment["parameters"]["job"]).stem for deployment in deployments}
    assert named == set(jobs)
    assert jobs["annotate"].sources == ("/notes",)
    assert jobs["relink"].warehouse == jobs["annotate"].warehouse == jobs["evaluate"].warehouse
    assert jobs["ontology-build"].ontology_build != OntologyBuildSettings()
    assert jobs["relink"].ontologies == (str(jobs["ontology-build"].ontology_build.out),)
    assert jobs["evaluate"].evaluate != EvaluateSettings()
    assert jobs["generate"].warehouse == jobs["annotate"].warehouse
    assert jobs["generate"].generate != GenerateSettings()


def test_requirements_layer_takes_what_the_project_declares() -> None:
    (step,) = (step for step in instructions() if "tomllib" in step.rest)
    code = re.search(r'python -c "(.+?)" > requirements.txt', step.rest)
    assert code
    done = subprocess.run(
        [sys.executable, "-c", code[1]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert done.stdout.splitlines() == [
        *project["dependencies"],
        *project["optional-dependencies"]["dask"],
    ]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_units_are_well_formed(tmp_path: Path) -> None:
    units = []
    for path in (ROOT / "docs" / "systemd").iterdir():
        # The command and the user are of the machine that the units are for.
        text = re.sub(r"^(User|Group)=.*\n", "", path.read_text("utf-8"), flags=re.MULTILINE)
        text = text.replace("/opt/charthouse/bin/charthouse", "/bin/true")
        text = text.replace("/usr/bin/logger", "/bin/true")
        unit = tmp_path / path.name
        unit.write_text(text)
        units.append(str(unit).replace("@.", "@nightly."))
        Path(units[-1]).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        check=False,
        env={
            "SYSTEMD_UNIT_PATH": f"{tmp_path}:",
            "PATH": "/usr/bin:/bin",
            "SYSTEMD_LOG_LEVEL": "warning",
        },
    )
    assert done.returncode == 0, done.stderr
    assert "charthouse" not in done.stderr, done.stderr
