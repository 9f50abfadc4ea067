"""A run on Ray gives the tables of a local run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.cluster.conftest import run_notes
from tests.flows.runs import contents

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.usefixtures("alone_on_ray")
def test_ray_on_this_machine(
    home: Path,
    notes: Path,
    expected: dict[str, list[tuple[object, ...]]],
    tmp_path: Path,
    small: dict[str, str],
) -> None:
    warehouse, staging = tmp_path / "w.duckdb", tmp_path / "staging"
    more = ["--runner", "ray", "--address", "local", "--workers", "2", "--staging", staging]
    run_notes(warehouse, notes, home, *more, **small)
    assert contents(warehouse) == expected
    assert not list(staging.iterdir()), "something was left on the staging"
