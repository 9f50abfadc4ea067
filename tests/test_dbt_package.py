"""The dbt package's files, without dbt: the generated ones are current, all variables explained."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from flows.schema import TABLES
from flows.warehouse.views import VIEWS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "docs" / "dbt"


@pytest.fixture(scope="module")
def generator() -> Iterator[ModuleType]:
    """scripts/write_dbt_sources.py as a module."""
    path = ROOT / "scripts" / "write_dbt_sources.py"
    spec = importlib.util.spec_from_file_location("write_dbt_sources", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(path.parent))


def test_generated_files_are_current(generator: ModuleType) -> None:
    assert not generator.stale()


def test_check_fails_and_says_what_to_run(
    generator: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(generator, "PACKAGE", tmp_path / "docs" / "dbt")
    monkeypatch.setattr(sys, "argv", ["write_dbt_sources.py", "--check"])
    assert generator.main() == 1
    errors = capsys.readouterr().err
    assert "docs/dbt/models/sources/sources.yml is out of date" in errors
    assert generator.COMMAND in errors
    assert not (tmp_path / "docs").exists()


def test_every_table_and_view_is_a_source() -> None:
    (source,) = yaml.safe_load((PACKAGE / "models/sources/sources.yml").read_text("utf-8"))[
        "sources"
    ]
    tables = {table["name"]: table for table in source["tables"]}
    assert set(tables) == {table.name for table in TABLES} | {view.name for view in VIEWS}
    for table in TABLES:
        (test,) = tables[table.name]["data_tests"]
        columns = test["unique_key"]["arguments"]["columns"]
        assert [column.strip('"') for column in columns] == list(table.key)
        assert [c["name"] for c in tables[table.name]["columns"]] == [c.name for c in table.columns]


def test_what_a_template_would_take_for_code_is_refused(generator: ModuleType) -> None:
    with pytest.raises(ValueError, match="for code"):
        generator._plain("as {{ this }}")


def test_every_variable_is_explained() -> None:
    project = yaml.safe_load((PACKAGE / "dbt_project.yml").read_text("utf-8"))
    page = (PACKAGE.parent / "dbt.md").read_text("utf-8")
    for name in project["vars"]["charthouse"]:
        assert f"`{name}`" in page
    assert project["flags"]["send_anonymous_usage_stats"] is False


def test_every_model_is_described_and_in_the_page() -> None:
    described = {
        model["name"]
        for path in PACKAGE.rglob("*.yml")
        for model in yaml.safe_load(path.read_text("utf-8")).get("models") or ()
        if isinstance(model, dict)
    }
    models = {path.stem for path in (PACKAGE / "models").rglob("*.sql")}
    assert described == models
    page = (PACKAGE.parent / "dbt.md").read_text("utf-8")
    assert all(f"`{model}`" in page for model in models if not model.startswith("stg_"))
