"""What a run tells people when it has ended."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from flows.cli.outcome import command
from flows.cli.run_summary import print_summary
from flows.summary import Summary

SUMMARY = Summary(
    run_id="20260102T030405-abcdef",
    warehouse="w.duckdb",
    nothing_to_do=False,
    read=300,
    new=300,
    replaced=0,
    skipped=0,
    duplicates=0,
    superseded=0,
    metadata_updated=0,
    deleted=0,
    pruned=0,
    new_rejects=0,
    annotated_mentions=10,
    seconds={"total": 2.0},
    documents=300,
    mentions=10,
    linked_mentions=5,
    rejects=0,
    labels={"Disease": 10},
    top_concepts=[],
    attributions=[],
)


@pytest.mark.parametrize(
    ("continued", "said"), [(False, "150.0 documents/s"), (True, "since the interruption")]
)
def test_a_rate_is_told_of_runs_that_one_process_did(continued: bool, said: str) -> None:
    console = Console(width=100, record=True, quiet=False)
    print_summary(console, replace(SUMMARY, continued=continued))
    (line,) = [line for line in console.export_text().splitlines() if " time " in line]
    assert line.split(maxsplit=3)[3].strip() == said


def test_what_to_type_can_be_typed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / ".venv/bin/charthouse"), "demo"])
    assert command() == ".venv/bin/charthouse"
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv/bin/python"))
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "flows/cli/__main__.py"), "demo"])
    assert command() == ".venv/bin/python -m flows.cli"
