"""docs/notes.md: its queries, asked again on the sample notes, give the outputs it shows."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_the_page_shows_what_comes_out(
    tmp_path: Path, prefect_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", prefect_address)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    spec = importlib.util.spec_from_file_location("write_notes", ROOT / "scripts/write_notes.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = script.PAGE.read_text("utf-8")
    assert page.count("```sql\n") == page.count("```text\n") >= 6
    found = script.answered(page, script.fill_warehouse(tmp_path))
    assert found.split("```") == page.split("```")
