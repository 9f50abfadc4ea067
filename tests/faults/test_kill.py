"""SIGKILL at named and at random moments, then the same command: the tables of a quiet run."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from pathlib import Path

import pytest

from flows.bundled import SAMPLE_CORPUS
from tests.faults.conftest import SEED, Undisturbed
from tests.faults.moments import wait_for
from tests.faults.processes import kill_run
from tests.faults.scene import DONE, Scene, differences

CERTAIN = (
    *("reading", "cutting shards", "plan stored", "staging", "renaming", "committing"),
    *("half loaded", "all loaded", "names linked"),
)
BRIEF = ("links loaded", "published", "checkpoint", "closing")
"""Moments that may pass between two looks: then the run ends, and the next finds all done."""

LONGEST_RUN = 120.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def again(scene: Scene, undisturbed: Undisturbed) -> None:
    """The same command once more gives the tables that nothing disturbed."""
    done = scene.run()
    assert done.returncode in DONE, done.stderr
    assert differences(scene.tables(), undisturbed.tables) == []
    assert scene.breaches() == []
    assert not scene.warehouse.with_name(scene.warehouse.name + ".work").exists()


@pytest.mark.parametrize("moment", [*CERTAIN, *BRIEF])
def test_killed_at_a_moment_and_run_again(
    undisturbed: Undisturbed, tmp_path: Path, moment: str
) -> None:
    scene = undisturbed.before.on(tmp_path / "w.duckdb")
    process = scene.start()
    try:
        caught = wait_for(moment, process, scene.warehouse, LONGEST_RUN)
        assert caught or moment in BRIEF, "the run ended before the moment came"
    finally:
        assert not kill_run(process), "processes outlive the run"
    assert scene.breaches() == [], "a killed run leaves a sound warehouse"
    again(scene, undisturbed)


def test_killed_at_random_with_a_model_and_a_server_of_its_own(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    """Nothing is shared here, as for a user: the bundled model, a temporary Prefect server."""
    variables = {"CHARTHOUSE_EXECUTION__SHARD_CHARACTERS": "20000"}
    quiet = Scene(undisturbed.before.home, SAMPLE_CORPUS, tmp_path / "q.duckdb", (), 2, variables)
    began = time.monotonic()
    assert quiet.run().returncode == 0
    seconds = time.monotonic() - began
    chance = random.Random(SEED)
    scene = replace(quiet, warehouse=tmp_path / "w.duckdb")
    for share in (chance.uniform(0.2, 0.6), chance.uniform(0.5, 1.0)):
        process = scene.start()
        time.sleep(seconds * share)
        assert not kill_run(process), "processes outlive the run"
    again(scene, Undisturbed(quiet, quiet.tables()))
