"""Job files: what stands in them, where their paths start, and how jobs that use them end."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import jobs
from flows.bundled import SAMPLE_ONTOLOGY
from flows.deployments import DEPLOYABLE
from flows.errors import CharthouseError, UsageError
from flows.job_paths import from_folder
from flows.jobs import JOBS, order_of, warehouse_of
from flows.serving import Schedule, serve_jobs
from flows.settings import load_settings
from tests.flows.conftest import write_jsonl
from tests.flows.runs import COMMAND, charthouse, environment, query, within


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARTHOUSE_CACHE", str(tmp_path / "cache"))


def write_job(folder: Path, text: str, name: str = "job.toml") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_of_a_file_start_at_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "jobs"
    job = write_job(
        folder,
        'sources = ["in", "more/*.csv", "/data/x.xml", "s3://bucket/y"]\n'
        'ontologies = ["stores/mesh", "sample"]\n[warehouse]\npath = "../w.duckdb"\n'
        '[ner]\nmodels = ["bundled", "models/own", "hub:owner/name@1"]\n'
        '[ontology_build]\nout = "stores/new"\nmesh = ["desc.xml"]\n'
        '[evaluate]\ngold = ["gold.txt"]\nontology = "stores/mesh"\n',
    )
    for made in ("stores/mesh", "models/own", "sample"):
        (folder / made).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)  # wherever a scheduler starts it
    settings = load_settings(Path("jobs/job.toml"), {})
    assert settings.model_dump() == load_settings(job, {}).model_dump()
    here = str(folder)
    assert settings.sources == (f"{here}/in", f"{here}/more/*.csv", "/data/x.xml", "s3://bucket/y")
    assert settings.ontologies == (f"{here}/stores/mesh", "sample")
    assert settings.ner.models == ("bundled", f"{here}/models/own", "hub:owner/name@1")
    assert settings.warehouse.path is not None
    assert settings.warehouse.path.resolve() == tmp_path / "w.duckdb"
    assert settings.ontology_build.out == folder / "stores/new"
    assert settings.ontology_build.mesh == (folder / "desc.xml",)
    assert settings.evaluate.gold == (folder / "gold.txt",)
    assert settings.evaluate.ontology == f"{here}/stores/mesh"


def test_flags_and_environment_start_at_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = write_job(tmp_path / "jobs", 'sources = ["in"]\n[warehouse]\npath = "w.duckdb"\n')
    monkeypatch.setenv("CHARTHOUSE_WAREHOUSE__PATH", "from_environment.duckdb")
    settings = load_settings(job, {"sources": ("given",)})
    assert settings.sources == ("given",)
    assert settings.warehouse.path == Path("from_environment.duckdb")


def test_brackets_of_the_folder_are_no_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "ward[3]"
    job = write_job(folder, 'sources = ["*.jsonl"]\n[warehouse]\npath = "/tmp/w.duckdb"\n')
    write_jsonl(folder / "a.jsonl", {"id": "1", "text": "Asthma."})
    (file,) = order_of(load_settings(job, {})).files
    assert file.path == folder / "a.jsonl"


@given(
    st.dictionaries(
        st.sampled_from(["sources", "ontologies", "warehouse", "ner", "evaluate", "else"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["path", "models", "gold", "ontology", "x"]), inner, max_size=3
                )
            ),
            max_leaves=8,
        ),
    )
)
def test_values_of_a_wrong_type_are_left_for_the_settings_to_refuse(value: dict) -> None:  # type: ignore[type-arg]
    before = json.dumps(value)
    shape = [type(item) for item in value.values()]
    changed = from_folder(Path("/nowhere/at/all"), json.loads(before))
    assert [type(item) for item in changed.values()] == shape
    twice = from_folder(Path("/elsewhere"), json.loads(json.dumps(changed)))
    absolute = [item for item in _strings(changed) if item.startswith("/nowhere")]
    assert all(item in list(_strings(twice)) for item in absolute)


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in inner for text in _strings(item)]


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    nothing = write_job(tmp_path, "[source]\nlimit = 1\n")
    with pytest.raises(UsageError, match="warehouse"):
        warehouse_of(load_settings(nothing, {}))
    for name, named in (
        ("annotate", "warehouse"),
        ("relink", "warehouse"),
        ("ontology-build", "store"),
        ("evaluate", "gold"),
    ):
        with pytest.raises(UsageError, match=named):
            JOBS[name](nothing)
    no_sources = write_job(tmp_path, '[warehouse]\npath = "w.duckdb"\n', "other.toml")
    with pytest.raises(UsageError, match="sources"):
        JOBS["annotate"](no_sources)
    no_store = write_job(tmp_path, '[evaluate]\ntask = "linking"\ngold = ["g"]\n', "third.toml")
    with pytest.raises(UsageError, match="ontology"):
        JOBS["evaluate"](no_store)


def test_every_job_has_a_flow_of_one_parameter() -> None:
    assert set(DEPLOYABLE) == set(JOBS)
    assert len({flow.name for flow in DEPLOYABLE.values()}) == len(JOBS)
    for flow in DEPLOYABLE.values():
        assert list(flow.parameters.properties) == ["job"]


def test_store_is_built_as_a_job_file_says(tmp_path: Path) -> None:
    job = write_job(
        tmp_path,
        f'[ontology_build]\nout = "made"\nmesh = ["{SAMPLE_ONTOLOGY}"]\nsemantic_types = ["C"]\n',
    )
    outcome = jobs.build_ontology(job)
    assert outcome.state == jobs.COMPLETED
    assert (tmp_path / "made" / "release.json").is_file()
    concepts = int(outcome.message.split()[0].replace(",", ""))
    assert concepts > 10


@pytest.mark.slow
def test_run_and_relink_need_no_arguments_beside_a_job_file(
    tmp_path: Path, prefect_address: str
) -> None:
    folder = tmp_path / "jobs"
    job = write_job(
        folder,
        'sources = ["in"]\n[warehouse]\npath = "w.duckdb"\n[execution]\nworkers = 1\n',
    )
    (folder / "in").mkdir()
    write_jsonl(folder / "in" / "a.jsonl", {"id": "1", "text": "Asthma after aspirin."})
    shared = {"PREFECT_API_URL": prefect_address}
    done = charthouse(tmp_path, "run", "--config", job, "--json", **shared)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["new"] == 1
    assert query(folder / "w.duckdb", "SELECT corpus FROM documents") == [("a",)]
    other = tmp_path / "other.duckdb"
    given = within(tmp_path, "run", "--config", job, "--warehouse", other, "--dry-run")
    assert given.returncode == 0, given.stderr
    assert "1 documents to annotate" in given.stdout and not other.exists()
    relinked = within(tmp_path, "relink", "--config", job, "--dry-run", "--json")
    assert relinked.returncode == 0, relinked.stderr
    assert json.loads(relinked.stdout) == {"sample": 0}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run"], "warehouse"),
        (["run", "--warehouse", "w.duckdb"], "sources"),
        (["relink"], "warehouse"),
        (["ontology", "build", "--mesh", "desc.xml"], "--out"),
        (["serve", "--cron", "0 2 * *", "JOB"], "--cron"),
        (["serve", "--cron", "0 2 * * *", "--timezone", "Mars/Olympus", "JOB"], "--timezone"),
        (["serve", "--cron", "0 2 * * *", "--interval", "60", "JOB"], "--interval"),
        (["serve", "--interval", "60", "--timezone", "UTC", "JOB"], "--timezone"),
        (["serve", "JOB", "JOB"], "two job files"),
        (["serve", "--do", "evaluate", "JOB"], "gold"),
        (["serve", "--do", "ontology-build", "JOB"], "store"),
    ],
)
def test_wrong_usage_is_exit_2_and_starts_nothing(
    tmp_path: Path, arguments: list[str], told: str
) -> None:
    job = write_job(tmp_path, 'sources = ["in"]\n[warehouse]\npath = "w.duckdb"\n')
    given = [str(job) if argument == "JOB" else argument for argument in arguments]
    done = within(tmp_path, *given)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "prefect" / "prefect.db").exists()


def test_serving_checks_its_jobs_before_it_starts(tmp_path: Path) -> None:
    job = write_job(tmp_path, 'sources = ["in"]\n[warehouse]\npath = "missing/w.duckdb"\n')
    with pytest.raises(CharthouseError, match="folder does not exist"):
        serve_jobs("annotate", [job], Schedule(interval=60))


@pytest.mark.slow
def test_two_first_runs_at_once_share_a_fresh_prefect_home(tmp_path: Path) -> None:
    """Both would bring the same new database to its version."""
    running = []
    for name in ("a", "b"):
        source = write_jsonl(tmp_path / f"{name}.jsonl", {"id": name, "text": "Asthma."})
        command = [*COMMAND, "run", str(source), "--workers", "1", "--json"]
        command += ["--warehouse", str(tmp_path / f"{name}.duckdb")]
        running.append(
            subprocess.Popen(
                command,
                env=environment(tmp_path),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    for process in running:
        out, errors = process.communicate(timeout=280)
        assert process.returncode == 0, errors
        assert json.loads(out)["documents"] == 1
    assert (tmp_path / "prefect" / "prefect.db").is_file()
