"""Every fenced block of README and docs/ is checked by its kind, so that no example rots."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import yaml

from flows.settings import load_settings
from flows.warehouse.connection import prepare
from nlp.assertion.rule_file import load_rules
from nlp.generation.template import load_template
from nlp.preprocess.heading_file import read_heading_file
from nlp.relations.patterns import load_patterns
from tests.docs.blocks import PAGES, Block, all_blocks, blocks
from tests.docs.commands import fault, fault_of_words
from tests.docs.shell import calls

CHECKED = {"sh", "bash", "console", "python", "sql", "toml", "json", "yaml"}
SHOWN = {"", "text", "mermaid"}
"""Outputs, files of forms that readers' tests hold, and diagrams (``test_site.py``)."""


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CHARTHOUSE_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """Tables and views without rows."""
    with duckdb.connect(":memory:") as connection:
        prepare(connection)
        yield connection


def test_every_block_says_what_it_is() -> None:
    strange = [str(b) for page in PAGES for b in blocks(page) if b.language not in CHECKED | SHOWN]
    assert strange == []


def test_what_is_not_checked_has_a_reason() -> None:
    marks = [b for page in PAGES for b in blocks(page) if b.mark and b.mark != "run"]
    assert [str(b) for b in marks if not re.fullmatch(r"unchecked: \w.{10,}", b.mark or "")] == []


def test_shell_commands_are_those_there_are(tmp_path: Path) -> None:
    prompted = [b for b in all_blocks("") if b.code.startswith("$ ")]
    found = [b for b in all_blocks("sh", "bash", "console") if b.mark in (None, "run")] + prompted
    made = calls([block.code for block in found], tmp_path)
    assert len(made) > len(found)
    faults = [f"{found[n]}: {words}: {wrong}" for n, words in made if (wrong := fault(words))]
    assert faults == []


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("charthouse run notes/ -w w.duckdb", None),
        ("charthouse run notes/ --warehose w.duckdb", "No such option: --warehose"),
        ("charthouse fly", "No such command 'fly'."),
        ("charthouse evaluate qa f.csv --task two", "'two' is not one of"),
        ("charthouse sql -w w.duckdb 'SELECT 1' | head -3", "no program that is known: head"),
        ("charthose run notes/", "no program that is known: charthose"),
        ('$ charthouse sql -w w.duckdb "\n  SELECT 1"\n 1\n$ charthouse fly', "No such command"),
        ("make runn", "no target of the Makefile: runn"),
        ("python benchmarks/scale.py --data F --quik", "benchmarks/scale.py has no --quik"),
    ],
)
def test_wrong_commands_are_found(code: str, wrong: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = [said for _, words in calls([code], Path(folder)) if (said := fault(words))]
    assert (found == []) if wrong is None else any(wrong in said for said in found)


def test_commands_in_prose_are_those_there_are() -> None:
    faults = []
    for page in PAGES:
        prose = re.sub(r"^ *```.*?^ *```$", "", page.read_text("utf-8"), flags=re.M | re.S)
        for said in re.findall(r"`(charthouse [a-z][^`]*)`", prose):
            if wrong := fault_of_words(said):
                faults.append(f"{page.name}: {said}: {wrong}")
    assert faults == []


@pytest.mark.parametrize("block", all_blocks("python"), ids=str)
def test_python_compiles_and_names_what_there_is(block: Block) -> None:
    tree = ast.parse(block.code)
    if block.mark == "run":
        return  # carried out by test_walk.py
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                importlib.import_module(name.name)
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            module = importlib.import_module(node.module or "")
            assert [n.name for n in node.names if not hasattr(module, n.name)] == []


@pytest.mark.parametrize("block", all_blocks("json"), ids=str)
def test_json_is_json(block: Block) -> None:
    json.loads(block.code)


@pytest.mark.parametrize("block", all_blocks("yaml"), ids=str)
def test_yaml_is_yaml(block: Block) -> None:
    assert yaml.safe_load(block.code)


@pytest.mark.parametrize("block", all_blocks("toml"), ids=str)
def test_toml_is_a_file_of_its_form(block: Block, tmp_path: Path) -> None:
    config = tmp_path / "block.toml"
    config.write_text(block.code, encoding="utf-8")
    if "[[rule]]" in block.code:
        load_rules(config)
    elif "[inputs." in block.code:
        load_template(config)
    elif "[[statement]]" in block.code:
        load_patterns(str(config))
    elif "[[section]]" in block.code:
        read_heading_file(config)
    else:
        load_settings(config, {})


@pytest.mark.parametrize("block", [b for b in all_blocks("sql") if not b.title], ids=str)
def test_sql_runs(block: Block, warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("BEGIN")
    try:
        warehouse.execute(block.code)
    except duckdb.InvalidInputException:
        pass  # a macro refuses what an empty warehouse does not have
    finally:
        warehouse.execute("ROLLBACK")
