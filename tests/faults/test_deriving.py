"""A kill between linking and the end of a run: the same command makes the derived tables whole."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.conftest import Undisturbed
from tests.faults.scene import DONE, differences
from tests.flows.runs import environment, query

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_KILL = "lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)"

WHERE = {
    "before deriving": f"pipeline.refresh_if_changed = {_KILL}",
    "half derived": f"refresh.count_pairs = {_KILL}",
    "derived, not published": f"pipeline.check_run = {_KILL}",
}


@pytest.mark.parametrize("where", sorted(WHERE))
def test_killed_between_link_and_publish(
    undisturbed: Undisturbed, tmp_path: Path, where: str
) -> None:
    scene = undisturbed.before.on(tmp_path / "w.duckdb")
    before = query(scene.warehouse, "FROM document_concepts ORDER BY ALL")
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, signal\n"
            "from flows import pipeline\n"
            "from flows.warehouse.derived import refresh\n"
            "from flows.cli.main import main\n"
            f"{WHERE[where]}\n"
            "main()\n",
            *scene.arguments,
        ],
        env=environment(scene.home, **scene.variables),
        capture_output=True,
        timeout=200,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    assert scene.breaches() == [], "a killed run leaves a sound warehouse"
    held = query(scene.warehouse, "FROM document_concepts ORDER BY ALL")
    assert (held == before) == (where != "derived, not published")

    done = scene.run()

    assert done.returncode in DONE, done.stderr
    assert differences(scene.tables(), undisturbed.tables) == []
    assert scene.breaches() == []
