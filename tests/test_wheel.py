"""The built wheel, alone: installed into an empty environment, run outside the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


def test_wheel_runs_in_an_empty_environment(tmp_path: Path) -> None:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "PYTHON"))}
    clean |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}

    def call(*command: str | Path, **more: str) -> str:
        done = subprocess.run(
            [*map(str, command)],
            cwd=tmp_path,
            env=clean | more,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    checkout = tmp_path / "checkout"  # a build writes beside the sources
    for name in ("flows", "nlp", "ontologies"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    call(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path / "dist", checkout)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    call(python, "-m", "pip", "install", "--quiet", "torch==2.13.0")
    call(python, "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel)
    out = call(
        tmp_path / "env" / "bin" / "charthouse",
        *("demo", "--warehouse", "w.duckdb", "--json"),
        HF_HUB_OFFLINE="1",
        PREFECT_HOME=str(tmp_path / "prefect"),
        CHARTHOUSE_CACHE=str(tmp_path / "cache"),
    )
    summary = json.loads(out)
    assert summary["documents"] >= 40
    assert summary["linked_mentions"] > 0
