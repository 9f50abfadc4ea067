"""Benchmarks are run by hand and rot unseen: each must still start."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks"


@pytest.mark.parametrize(
    "script",
    [
        "abbreviations.py",
        "assertion.py",
        "assertion_peers.py",
        "chaos.py",
        "dictionary.py",
        "export.py",
        "generation.py",
        "gpu/generation.py",
        "gpu/lora.py",
        "gpu/ner.py",
        "linking.py",
        "linking_model.py",
        "ner_cpu.py",
        "privacy.py",
        "qa_training.py",
        "quality.py",
        "quality_intervals.py",
        "quantities.py",
        "queries.py",
        "relations.py",
        "report.py",
        "retrieval.py",
        "scale.py",
        "sections.py",
        "sentences.py",
        "throughput.py",
        "umls_scale.py",
    ],
)
def test_a_benchmark_tells_how_it_is_called(
    script: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process: what the benchmarks import takes seconds, and is the same for many."""
    monkeypatch.setattr(sys, "argv", [str(FOLDER / script), "--help"])
    monkeypatch.setattr(sys, "path", [str((FOLDER / script).parent), *sys.path])
    with patch.dict(os.environ), pytest.raises(SystemExit) as ended:  # some set variables
        runpy.run_path(str(FOLDER / script), run_name="__main__")
    assert ended.value.code == 0
    assert "usage" in capsys.readouterr().out.lower()


@pytest.mark.slow
@pytest.mark.parametrize("script", ["generation.py", "gpu/generation.py"])
def test_a_benchmark_of_generation_runs_on_a_tiny_shape(script: str) -> None:
    small = "--shape tiny --device cpu --rows 1,4 --prompts 6 --new 6 --longest 20 --repeat 1"
    only = "--only one --only ours --only padded" if script == "generation.py" else "--alone 3"
    done = subprocess.run(
        [sys.executable, FOLDER / script, *small.split(), *only.split()],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if "%" in line]
    assert len(rows) > 2
    assert all("100%" in row for row in rows), done.stdout  # fp32: all ways write alike


@pytest.mark.slow
def test_a_benchmark_of_lora_trains_a_tiny_shape() -> None:
    small = "--shape tiny --device cpu --batch-tokens 512 --steps 2"
    done = subprocess.run(
        [sys.executable, FOLDER / "gpu/lora.py", *small.split()],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "computed GiB" in done.stdout and "tokens/s" in done.stdout


def test_none_is_forgotten() -> None:
    scripts = {str(path.relative_to(FOLDER)) for path in FOLDER.glob("*.py")}
    scripts |= {str(path.relative_to(FOLDER)) for path in FOLDER.glob("gpu/*.py")}
    named = set(test_a_benchmark_tells_how_it_is_called.pytestmark[0].args[1])
    assert {script for script in scripts if "argparse" in (FOLDER / script).read_text()} == named
