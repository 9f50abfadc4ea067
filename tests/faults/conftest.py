"""Fixtures of the fault tests: an undisturbed run."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import pytest

from tests.faults.corpus import write_corpus
from tests.faults.scene import DONE, Scene, Tables

SEED = 20261


@dataclass(frozen=True)
class Undisturbed:
    """A warehouse before a run, the run to disturb, and the tables it makes if nothing does."""

    before: Scene
    tables: Tables


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, prefect_address: str) -> Undisturbed:
    """The second run over a corpus that has changed since the first."""
    home = tmp_path_factory.mktemp("undisturbed")
    write_corpus(home / "first", home / "second", random.Random(SEED))
    scene = Scene(home, home / "first", home / "before.duckdb")
    scene.variables["PREFECT_API_URL"] = prefect_address
    assert scene.run().returncode in DONE
    later = replace(scene, sources=home / "second")
    after = later.on(home / "after.duckdb")
    done = after.run()
    assert done.returncode in DONE, done.stderr
    assert after.breaches() == []
    return Undisturbed(later, after.tables())
