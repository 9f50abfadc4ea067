"""What a worker process does without: each import costs memory in every worker, and time."""

from __future__ import annotations

import subprocess
import sys


def test_a_worker_loads_neither_database_nor_orchestrator() -> None:
    code = (
        "import sys, flows.annotate_worker, flows.link_worker, nlp.annotate\n"
        "print(sorted({'duckdb', 'prefect', 'spacy', 'presidio_analyzer'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
