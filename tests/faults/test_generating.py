"""Generation struck by SIGKILL, by dying workers and by bad items: nothing lost, nothing doubled.

The task is one without a model; all else is as a user has it: the command, Prefect, worker
processes.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.faults.moments import wait_for
from tests.faults.processes import kill_run, workers_of
from tests.faults.scene import DONE, Scene, differences
from tests.flows.conftest import write_jsonl
from tests.flows.generating.echo import REASON
from tests.flows.runs import query

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LONGEST_RUN = 240.0

SITE = """
from flows.generating.tasks import TASKS
from tests.flows.generating.echo import Echo

TASKS["text"] = Echo()
"""


@dataclass(frozen=True)
class Generation(Scene):
    """``charthouse generate text`` by a task without a model."""

    more: tuple[str, ...] = ()

    @property
    def arguments(self) -> list[str]:
        """The command line after the program's name."""
        return [
            *("generate", "text", "-w", str(self.warehouse)),
            *(f"--workers={self.workers}", *self.more),
        ]


def scene_of(home: Path, address: str | None, records: list[dict[str, object]]) -> Generation:
    """A warehouse of notes, and the generation over it."""
    site = home / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(SITE, "utf-8")
    source = write_jsonl(home / "notes.jsonl", *records)
    variables = {"CHARTHOUSE_EXECUTION__SHARD_CHARACTERS": "60"}
    variables |= {"PREFECT_API_URL": address} if address else {}
    main = Scene(home, source, home / "before.duckdb", variables=variables)
    done = main.run()
    assert done.returncode in DONE, done.stderr
    variables |= {"PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}
    return Generation(home, source, main.warehouse, (), 2, variables)


def notes(count: int, **odd: str) -> list[dict[str, object]]:
    """Notes that take a fifth of a second each; ``odd`` have another text."""
    texts = {f"n{i:02d}": f"Aspirin{i} works slowly" for i in range(count)} | odd
    return [{"id": key, "text": text, "person_id": f"p-{key}"} for key, text in texts.items()]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory, prefect_address: str) -> Generation:
    """Some notes, one of which is refused by the task."""
    home = tmp_path_factory.mktemp("generating")
    return scene_of(home, prefect_address, notes(16, n05="Metformin is bad"))


@pytest.fixture(scope="module")
def quiet(before: Generation) -> Scene:
    """What nothing disturbed."""
    scene = before.on(before.home / "quiet.duckdb")
    done = scene.run()
    assert done.returncode == 3, done.stderr
    assert scene.breaches() == []
    assert query(scene.warehouse, "SELECT count(*), count(DISTINCT item_id) FROM generations") == [
        (15, 15)
    ]
    assert query(scene.warehouse, "SELECT path, reason FROM rejects") == [
        ("item:notes:n05", REASON)
    ]
    return scene


@pytest.mark.parametrize(
    "moment", ["cutting shards", "plan stored", "annotating", "renaming", "half loaded"]
)
def test_killed_at_a_moment_and_run_again(
    before: Generation, quiet: Scene, tmp_path: Path, moment: str
) -> None:
    scene = before.on(tmp_path / "w.duckdb")
    process = scene.start()
    try:
        assert wait_for(moment, process, scene.warehouse, LONGEST_RUN), "the moment never came"
    finally:
        assert not kill_run(process), "processes outlive the run"
    assert scene.breaches() == [], "a killed run leaves a sound warehouse"
    done = scene.run()
    assert done.returncode in DONE, done.stderr
    assert differences(scene.tables(), quiet.tables()) == []
    assert scene.breaches() == []
    assert not scene.warehouse.with_name(scene.warehouse.name + ".work").exists()


def test_main_job_between_a_kill_and_the_same_command(
    before: Generation, quiet: Scene, tmp_path: Path
) -> None:
    scene = before.on(tmp_path / "w.duckdb")
    process = scene.start()
    assert wait_for("half loaded", process, scene.warehouse, LONGEST_RUN)
    kill_run(process)
    (loaded,) = query(scene.warehouse, "SELECT count(*) FROM generation_items")
    main = Scene(scene.home, scene.sources, scene.warehouse, variables=scene.variables)
    assert main.run().returncode == 0
    assert query(scene.warehouse, "SELECT count(*) FROM generation_items") == [loaded]
    done = scene.run()
    assert "Going on with the interrupted run" in done.stderr
    found, expected = scene.tables(), quiet.tables()
    for name in ("generations", "generation_items", "generation_sources", "rejects", "shards"):
        assert found[name] == expected[name], name
    assert scene.breaches() == []


def test_death_of_a_worker_loses_nothing(before: Generation, quiet: Scene, tmp_path: Path) -> None:
    scene = before.on(tmp_path / "w.duckdb")
    process = scene.start()
    assert wait_for("annotating", process, scene.warehouse, LONGEST_RUN)
    victims = workers_of(process.pid)
    assert victims, "no worker to kill"
    os.kill(victims[0], signal.SIGKILL)
    assert process.wait(LONGEST_RUN) == 3
    assert differences(scene.tables(), quiet.tables()) == []


def test_item_that_ends_its_worker_is_one_reject(tmp_path: Path, prefect_address: str) -> None:
    scene = scene_of(tmp_path, prefect_address, notes(5, n03="Lithium is deadly"))
    once = scene.variables | {"CHARTHOUSE_EXECUTION__RETRIES": "0"}
    scene = replace(scene, workers=1, variables=once)
    done = scene.run()
    assert done.returncode == 3, done.stderr
    assert query(scene.warehouse, "SELECT path, stage, reason FROM rejects") == [
        ("item:notes:n03", "generate", "ended its worker process")
    ]
    assert query(
        scene.warehouse, "SELECT status, count(*) FROM generation_items GROUP BY ALL ORDER BY ALL"
    ) == [("done", 4), ("rejected", 1)]
    assert scene.breaches() == []


def test_neither_prefect_nor_output_is_told_of_text(tmp_path: Path) -> None:
    marker = "Zqxvkjw"
    scene = scene_of(tmp_path, None, notes(2, n01=f"{marker} is bad", n02=f"{marker} says more"))
    more = ("--input", f"secret={marker}", "--where", f"text != '{marker}'")
    done = replace(scene, more=more).run()
    assert done.returncode == 3, done.stderr
    assert marker not in done.stdout + done.stderr
    time.sleep(1)  # its server writes what it holds
    files = [path for path in (tmp_path / "prefect").rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    assert [path.name for path in files if marker.encode() in path.read_bytes()] == []
    assert query(scene.warehouse, f"SELECT count(*) FROM generations WHERE text = '{marker}'") == [
        (1,)
    ]
