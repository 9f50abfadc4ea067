"""The tutorial and the guides beside it, carried out: what they show is what comes out."""

from __future__ import annotations

import importlib.util
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.blocks import DOCS, PAGES, README, ROOT, blocks


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """scripts/write_walks.py."""
    spec = importlib.util.spec_from_file_location("write_walks", ROOT / "scripts/write_walks.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def clone(script: ModuleType) -> Iterator[Path]:
    # A short path, as a person's: tables fold long ones.
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        script.make_clone(Path(folder))
        yield Path(folder)


def test_what_is_to_be_run_is_walked(script: ModuleType) -> None:
    run = {page.name for page in PAGES if any(b.mark == "run" for b in blocks(page))}
    assert run == set(script.WALKED)
    steps = [b for b in blocks(DOCS / "tutorial.md") if b.language in ("sh", "bash")]
    assert [b.code.split()[0] for b in steps if b.mark != "run"] == ["make"]


def test_a_step_that_fails_is_told(script: ModuleType, tmp_path: Path) -> None:
    page = "<!-- run -->\n```sh\necho {word}\n```\n\n```text\none  two\n```\n"
    assert script.walk(page.format(word="one two"), tmp_path) == page.format(word="one two")
    other = script.walk(page.format(word="three"), tmp_path)
    assert other == page.format(word="three").replace("one  two", "three")
    with pytest.raises(RuntimeError, match="ended with 3"):
        script.walk(page.format(word="so; (exit 3)"), tmp_path)
    with pytest.raises(RuntimeError, match="not shown"):
        script.walk("<!-- run -->\n```sh\necho one\n```\n", tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_pages_show_what_comes_out(
    script: ModuleType,
    clone: Path,
    prefect_address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One walk, in order: each page goes on where the one before it ended."""
    monkeypatch.setenv("PREFECT_API_URL", prefect_address)  # each run would start a server
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    for name in script.WALKED:
        page = (DOCS / name).read_text("utf-8")
        assert script.walk(page, clone) == page, f"run: {sys.executable} scripts/write_walks.py"
    # README's first query is asked of the sample that the tutorial has made.
    (query,) = [b.code for b in blocks(README) if b.code.startswith("$ .venv/bin/charthouse sql")]
    command, _, shown = re.split(r"(?<=LIMIT 5)(\"\n)", query)
    found = script.carry_out("sh", command.removeprefix("$ ") + '"', clone)
    assert script.told(found) == script.told(shown)
