"""The engine runs alone on a GPU machine: it needs none of the heavy neighbours."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"polars", "pyarrow", "spacy", "scispacy", "duckdb", "prefect"}


def test_engine_imports_no_heavy_neighbour() -> None:
    code = "import sys, nlp.ner.engine; print(*(m.partition('.')[0] for m in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "torch" in loaded
    assert not loaded & HEAVY
