"""Runs on a real Dask cluster give the tables of a local run, whatever dies meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import fsspec
import pytest

from tests.flows.cluster.conftest import DaskCluster, run_notes
from tests.flows.conftest import write_jsonl
from tests.flows.runs import COMMAND, charthouse, contents, environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

Tables = dict[str, list[tuple[object, ...]]]
Variables = dict[str, str]


def on(cluster: DaskCluster) -> list[str]:
    return ["--runner", "dask", "--scheduler", cluster.address]


def begin(
    home: Path, notes: Path, warehouse: Path, *more: str, **variables: str
) -> subprocess.Popen[str]:
    """Start a run of the notes and do not wait for it."""
    return subprocess.Popen(
        [*COMMAND, "run", str(notes), "--warehouse", str(warehouse), *more],
        env=environment(home, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_workers_that_see_the_work_folder_need_no_staging(
    dask_cluster: DaskCluster,
    home: Path,
    notes: Path,
    expected: Tables,
    tmp_path: Path,
    small: Variables,
) -> None:
    run_notes(tmp_path / "w.duckdb", notes, home, *on(dask_cluster), **small)
    assert contents(tmp_path / "w.duckdb") == expected
    assert [path.name for path in tmp_path.iterdir()] == ["w.duckdb"]


def test_a_worker_killed_in_the_middle_of_a_shard_changes_nothing(
    dask_cluster: DaskCluster,
    home: Path,
    notes: Path,
    expected: Tables,
    tmp_path: Path,
    small: Variables,
) -> None:
    staging = tmp_path / "staging"
    more = [*on(dask_cluster), "--staging", str(staging)]
    process = begin(home, notes, tmp_path / "w.duckdb", *more, **small)
    os.kill(dask_cluster.busy_worker(), signal.SIGKILL)
    _, errors = process.communicate(timeout=400)
    assert process.returncode == 0, errors
    assert contents(tmp_path / "w.duckdb") == expected
    assert not list(staging.iterdir()), "something was left on the staging"


def test_the_main_process_killed_and_run_again(
    dask_cluster: DaskCluster,
    home: Path,
    notes: Path,
    expected: Tables,
    tmp_path: Path,
    small: Variables,
) -> None:
    staging, warehouse = tmp_path / "staging", tmp_path / "w.duckdb"
    more = [*on(dask_cluster), "--staging", str(staging)]
    process = begin(home, notes, warehouse, *more, **small)
    dask_cluster.busy_worker()
    process.kill()
    process.communicate()
    assert list(staging.rglob("*.parquet")), "it was killed too late"
    assert all(path.stat().st_mode & 0o077 == 0 for path in staging.rglob("*"))
    run_notes(warehouse, notes, home, *more, **small)
    assert contents(warehouse) == expected
    assert not list(staging.iterdir()), "something was left on the staging"


def test_relations_are_those_of_this_machine(
    dask_cluster: DaskCluster, home: Path, expected: Tables, tmp_path: Path, small: Variables
) -> None:
    here, there = tmp_path / "here.duckdb", tmp_path / "there.duckdb"
    for warehouse in (here, there):
        shutil.copyfile(home / "local.duckdb", warehouse)
    staging = tmp_path / "staging"
    cluster = {
        "CHARTHOUSE_EXECUTION__RUNNER": "dask",
        "CHARTHOUSE_EXECUTION__ADDRESS": dask_cluster.address,
        "CHARTHOUSE_EXECUTION__STAGING": str(staging),
    }
    for warehouse, more in ((here, {}), (there, cluster)):
        asked = ["relations", "--threshold", "0", "--warehouse", warehouse]
        done = charthouse(home, "generate", *asked, **small, **more)
        assert done.returncode == 0, done.stderr
    found = contents(there)
    assert found == contents(here)
    assert found["documents"] == expected["documents"] and found["relations"]
    assert len(found["shards"]) > len(expected["shards"]) + 1
    assert not list(staging.iterdir()), "something was left on the staging"


def test_sources_and_staging_in_a_bucket(
    dask_cluster_on_s3: DaskCluster,
    home: Path,
    notes: Path,
    expected: Tables,
    tmp_path: Path,
    small: Variables,
) -> None:
    files = fsspec.filesystem("s3", skip_instance_cache=True)
    files.put_file(str(notes), "ward/in/notes.jsonl")
    warehouse = tmp_path / "w.duckdb"
    more = [*on(dask_cluster_on_s3), "--staging", "s3://ward/charthouse"]
    run_notes(warehouse, "s3://ward/in/*.jsonl", home, *more, **small)
    found = contents(warehouse)
    # The source has another name there, and so have the rows of shard files and their checksums.
    assert found.keys() == expected.keys()
    for table in found.keys() - {"sources", "runs", "shards"}:
        assert found[table] == expected[table], table
    files.invalidate_cache()
    assert files.find("ward") == ["ward/in/notes.jsonl"]


def test_workers_with_the_secret_deidentify_as_this_machine_does(
    dask_cluster_with_secret: DaskCluster, home: Path, tmp_path: Path, small: Variables
) -> None:
    text = "Mr. Miller (MRN 8847261) has asthma and was seen on 03/14/2019. Call 617-555-0142. "
    ids = ({"note_id": f"n{n}", "person_id": f"p{n % 2}", "text": text * 9} for n in range(6))
    notes = write_jsonl(tmp_path / "notes.jsonl", *ids)
    private = ["--privacy", "surrogate", "--model", "none", "--dictionary", "sample"]
    run_notes(tmp_path / "here.duckdb", notes, home, *private, **small)
    staging = ["--staging", str(tmp_path / "staging")]
    more = [*on(dask_cluster_with_secret), *staging, *private]
    run_notes(tmp_path / "there.duckdb", notes, home, *more, **small)
    there = contents(tmp_path / "there.duckdb")
    assert there == contents(tmp_path / "here.duckdb")
    assert there["privacy_spans"] and "Miller" not in str(there["documents"])
    assert not list((tmp_path / "staging").iterdir())
