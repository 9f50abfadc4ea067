"""The docs say what the code does: generated pages are current, examples work, links lead on."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer.main

from flows.job_paths import from_folder
from flows.readers.base import SourceFile
from flows.readers.record import BadRecord, Document
from flows.schema import TABLES
from flows.settings import load_settings
from flows.warehouse.macros import MACROS
from flows.warehouse.views import VIEWS
from nlp.ner.tags import read_tags
from ontologies.content import ReadOptions
from ontologies.errors import OntologyError

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))


@pytest.fixture(scope="module")
def generator() -> Iterator[ModuleType]:
    """scripts/write_docs.py as a module."""
    spec = importlib.util.spec_from_file_location("write_docs", ROOT / "scripts" / "write_docs.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["write_docs"] = module
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        spec.loader.exec_module(module)
        yield module


@pytest.fixture(scope="module")
def tables(generator: ModuleType) -> ModuleType:
    """scripts/tables_page.py as a module."""
    return sys.modules["tables_page"]


@pytest.fixture(scope="module")
def configuration(generator: ModuleType) -> ModuleType:
    """scripts/configuration_page.py as a module."""
    return sys.modules["configuration_page"]


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CHARTHOUSE_")]:
        monkeypatch.delenv(name)


def blocks(page: Path, language: str) -> Iterator[str]:
    """Fenced code blocks of a language, without their indent."""
    fence = re.compile(rf"^( *)```{language}\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
    for indent, code in fence.findall(page.read_text("utf-8")):
        yield "\n".join(line.removeprefix(indent) for line in code.splitlines()) + "\n"


def section(page: str, title: str) -> str:
    """The text below a heading of level three, up to the next heading."""
    (found,) = re.findall(
        rf"^### {re.escape(title)}$\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL
    )
    return str(found)


def test_generated_pages_are_current(generator: ModuleType) -> None:
    assert generator.stale() == [], f"run: {generator.COMMAND}"


def test_check_fails_and_says_what_to_run(
    generator: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(generator, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(sys, "argv", ["write_docs.py", "--check"])
    assert generator.main() == 1
    assert "docs/tables.md" in (errors := capsys.readouterr().err)
    assert generator.COMMAND in errors
    assert not (tmp_path / "docs").exists()
    monkeypatch.setattr(sys, "argv", ["write_docs.py"])
    assert generator.main() == 0
    monkeypatch.setattr(sys, "argv", ["write_docs.py", "--check"])
    assert generator.main() == 0


def test_every_column_is_in_the_data_dictionary(tables: ModuleType) -> None:
    page = tables.tables_page()
    for table in TABLES:
        text = section(page, table.name)
        assert table.meaning in text
        for column in table.columns:
            assert re.search(
                rf"^\| `{column.name}` \| .*{re.escape(column.meaning)}", text, re.M
            ), f"{table.name}.{column.name}"
    for view in VIEWS:
        text = section(page, f"{view.name} (view)")
        assert view.meaning in text
        for name, _, _ in tables.view_columns(view):
            assert f"| `{name}` |" in text
    for macro in MACROS:
        text = section(page, f"{macro.name} (macro)")
        assert f"`{macro.signature}` {macro.meaning}" in text
        assert all(f"| `{name}` | {meaning}" in text for name, meaning in macro.parameters.items())


def test_tables_come_in_the_promised_order(tables: ModuleType) -> None:
    assert re.findall("^## (.*)$", tables.tables_page(), re.MULTILINE) == [
        "Start here",
        "Macros",
        "Documents and annotations",
        "Links and concepts",
        "Generated text and relations",
        "Derived tables",
        "Quality and differences",
        "Ledger and provenance",
    ]


def test_every_setting_is_listed_and_its_variable_is_read(
    configuration: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = configuration.configuration_page()
    settings = [s for _, _, group in configuration.groups() for s in group]
    assert len(settings) >= 18
    values = {"source.limit": "7", "ontologies": '["a"]', "ner.label_map": '{"A": "B"}'}
    for setting in settings:
        assert f"| `{setting.key}` | `{setting.variable}` |" in page
        if setting.key in values:
            monkeypatch.setenv(setting.variable, values[setting.key])
    read = load_settings(None, {})
    assert (read.source.limit, read.ontologies) == (7, ("a",))
    assert read.ner.label_map == {"A": "B"}


def test_flags_are_those_of_the_command(configuration: ModuleType) -> None:
    from flows.cli.main import app

    command: Any = typer.main.get_command(app)
    there = {flag for parameter in command.commands["run"].params for flag in parameter.opts}
    assert set(configuration.FLAGS.values()) <= there
    assert set(configuration.FLAGS) <= {
        s.key for _, _, group in configuration.groups() for s in group
    }


def test_example_file_is_read_as_written(configuration: ModuleType, tmp_path: Path) -> None:
    config = tmp_path / "charthouse.toml"
    config.write_text(configuration.EXAMPLE_TOML, encoding="utf-8")
    settings = load_settings(config, {})
    read = settings.model_dump(mode="json")
    written = from_folder(tmp_path, tomllib.loads(configuration.EXAMPLE_TOML))
    for group, values in written.items():
        if isinstance(values, dict):
            assert {key: read[group][key] for key in values} == values, group
        else:
            assert read[group] == values
    assert settings.workers == 4


def test_flags_win_over_environment_and_environment_over_file(
    configuration: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "charthouse.toml"
    config.write_text(configuration.EXAMPLE_TOML, encoding="utf-8")
    monkeypatch.setenv("CHARTHOUSE_EXECUTION__WORKERS", "5")
    monkeypatch.setenv("CHARTHOUSE_NER__DEVICE", "auto")
    monkeypatch.setenv("CHARTHOUSE_SOURCE__COLUMNS", '{"text": "other"}')
    settings = load_settings(config, {"execution": {"workers": 6}})
    assert (settings.execution.workers, settings.ner.device) == (6, "auto")
    assert settings.source.columns == {"id": "note_key", "text": "other", "date": "written_on"}


def test_label_examples_do_what_they_say(configuration: ModuleType, tmp_path: Path) -> None:
    config = tmp_path / "charthouse.toml"
    config.write_text(
        configuration.LABEL_MAP_TOML + configuration.LINK_LABELS_TOML, encoding="utf-8"
    )
    settings = load_settings(config, {})
    names = ["O", "B-CHEM", "I-CHEM", "B-DISO", "B-ACTIVITY", "B-Gene"]
    tags = read_tags(dict(enumerate(names)), settings.ner.label_map)
    assert tags.entity_labels == ("Chemical", "Disease", "Gene")
    assert settings.link.labels["Disease"] == ("C", "F03")
    assert set(settings.link.labels) == {"Disease", "Chemical", "Device"}


def test_example_reader_and_format_work(tmp_path: Path) -> None:
    reader, _, concepts = blocks(DOCS / "adding.md", "python")
    code: dict[str, Any] = {}
    exec(compile(reader, "blocks.py", "exec"), code)
    notes = tmp_path / "ward.notes"
    notes.write_bytes(b"=== 1\nAsthma.\n=== 2\nCaf\xe9.\n")
    assert code["BLOCKS"].sniff(notes.read_bytes())
    assert list(code["BLOCKS"].read(SourceFile(notes, "blocks", "ward"))) == [
        Document("1", "Asthma.\n", "note"),
        BadRecord("not valid UTF-8"),
    ]
    code = {}
    exec(compile(concepts, "tsv.py", "exec"), code)
    names = tmp_path / "local.tsv"
    names.write_text("7\tAsthma\tbronchial asthma\tAsthma\n8\tGout\n", encoding="utf-8")
    content = code["read_tsv"](names, ReadOptions())
    described = content.concepts.select("concept_id", "concept_name", "line").rows()
    assert described == [("LOCAL:7", "Asthma", 1), ("LOCAL:8", "Gout", 2)]
    assert content.names.select("concept_id", "name").rows() == [
        ("LOCAL:7", "bronchial asthma"),
        ("LOCAL:7", "Asthma"),
    ]
    names.write_text("7\tAsthma\n8\n", encoding="utf-8")
    with pytest.raises(OntologyError, match=r"local\.tsv:2: no id or no name; mend that line"):
        code["read_tsv"](names, ReadOptions())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.is_file(), f"{page.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
            assert anchor in {
                re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings
            }, f"{page.name}: {target}"
