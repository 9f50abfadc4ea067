"""Benchmarks are run by hand and rot unseen: each must still start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
        "generative.py",
        "gpu/ner.py",
        "linking.py",
        "ner_cpu.py",
        "privacy.py",
        "quantities.py",
        "scale.py",
        "sections.py",
        "sentences.py",
        "throughput.py",
        "umls_scale.py",
    ],
)
def test_a_benchmark_tells_how_it_is_called(script: str) -> None:
    done = subprocess.run(
        [sys.executable, FOLDER / script, "--help"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout.lower()


def test_none_is_forgotten() -> None:
    scripts = {str(path.relative_to(FOLDER)) for path in FOLDER.glob("*.py")}
    scripts |= {str(path.relative_to(FOLDER)) for path in FOLDER.glob("gpu/*.py")}
    named = set(test_a_benchmark_tells_how_it_is_called.pytestmark[0].args[1])
    assert {script for script in scripts if "argparse" in (FOLDER / script).read_text()} == named
