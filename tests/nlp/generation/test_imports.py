"""The engine runs alone on a GPU machine, and a model is checked before torch is there."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"polars", "pyarrow", "pydantic", "spacy", "scispacy", "duckdb", "prefect", "peft"}


@pytest.mark.parametrize(
    ("module", "absent"),
    [("nlp.generation.model", HEAVY), ("nlp.generation.source", {"torch", "transformers"})],
)
def test_what_is_imported(module: str, absent: set[str]) -> None:
    code = f"import sys, {module}; print(*(m.partition('.')[0] for m in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "nlp" in loaded
    assert not loaded & absent
