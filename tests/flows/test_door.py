"""Bad input at the door: one line that names the thing, exit 1, nothing written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flows.runs import charthouse, within

GOOD = '{"id": "1", "text": "The patient has asthma."}\n'


def empty_folder(folder: Path) -> list[str]:
    (folder / "nothing").mkdir()
    return [str(folder / "nothing")]


def unknown_format(folder: Path) -> list[str]:
    (folder / "picture.png").write_bytes(b"\x89PNG" + bytes(200))
    return [str(folder / "picture.png")]


def no_text_column(folder: Path) -> list[str]:
    (folder / "visits.csv").write_text("visit,doctor\n1,2\n")
    return [str(folder / "visits.csv")]


def missing_file(folder: Path) -> list[str]:
    return [str(folder / "absent.csv")]


def missing_ontology(folder: Path) -> list[str]:
    (folder / "good.jsonl").write_text(GOOD)
    return [str(folder / "good.jsonl"), "--ontology", str(folder / "no-store")]


def missing_model(folder: Path) -> list[str]:
    (folder / "good.jsonl").write_text(GOOD)
    return [str(folder / "good.jsonl"), "--model", str(folder / "no-model")]


def absent_device(folder: Path) -> list[str]:
    (folder / "good.jsonl").write_text(GOOD)
    return [str(folder / "good.jsonl"), "--device", "cuda:99"]


@pytest.mark.parametrize(
    ("arrange", "named"),
    [
        (empty_folder, "nothing"),
        (unknown_format, "picture.png"),
        (no_text_column, "visits.csv"),
        (missing_file, "absent.csv"),
        (missing_ontology, "no-store"),
        (missing_model, "no-model"),
        (absent_device, "cuda:99"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    arrange: Callable[[Path], list[str]],
    named: str,
) -> None:
    home = tmp_path_factory.mktemp("home")
    arguments = arrange(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    done = within(home, "run", *arguments, "--warehouse", tmp_path / "w.duckdb")
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("charthouse: ") and named in line
    assert sorted(tmp_path.rglob("*")) == before


def test_wrong_usage_is_exit_2(tmp_path: Path) -> None:
    assert charthouse(tmp_path, "run").returncode == 2
    assert within(tmp_path, "run", "x", "-w", "y", "--column", "text").returncode == 2


def test_errors_about_values_do_not_quote_them(tmp_path: Path) -> None:
    from flows.warehouse.connection import open_warehouse

    with open_warehouse(tmp_path / "w.duckdb"):
        pass
    query = "SELECT CAST(word AS INTEGER) FROM (VALUES ('Zebrafinchitis')) t(word)"
    done = within(tmp_path, "sql", "--warehouse", tmp_path / "w.duckdb", query)
    assert done.returncode == 1
    assert "Zebrafinchitis" not in done.stderr + done.stdout
    wrong = within(tmp_path, "sql", "--warehouse", tmp_path / "w.duckdb", "SELEC 1")
    assert wrong.returncode == 1 and "syntax error" in wrong.stderr
