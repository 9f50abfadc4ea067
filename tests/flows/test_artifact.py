"""The table in Prefect: numbers and fixed words, whatever stands in the warehouse."""

from __future__ import annotations

import ast
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

import flows.readers
from flows.artifact import REASONS, artifact_rows, reason_group
from flows.shard_stage import ENDED_WORKER, HUNG_WORKER
from flows.warehouse.connection import open_warehouse
from tests.flows.conftest import Bench


def rows_of(bench: Bench) -> dict[tuple[object, object], object]:
    with open_warehouse(bench.warehouse) as connection:
        ((run_id,),) = connection.execute(
            "SELECT run_id FROM runs ORDER BY started_at DESC LIMIT 1"
        ).fetchall()
        rows = artifact_rows(connection, run_id, {"plan": 1.0, "annotate": 2.0})
    assert all(set(row) == {"group", "what", "value"} for row in rows)
    return {(row["group"], row["what"]): row["value"] for row in rows}


def test_counts_rates_and_seconds(bench: Bench, notes: Callable[..., Path]) -> None:
    bench.run(notes(a="asthma and so on", b="flu", c="unreadable"))
    rows = rows_of(bench)
    assert rows["documents", "read"] == rows["documents", "new"] == 3
    assert rows["work", "mentions"] == 2
    assert rows["rate", "documents/s"] == 1.5
    assert rows["seconds", "plan"] == 1.0
    assert rows["rejects", "annotation failed"] == 1
    assert rows["links", "share of mentions linked"] == 0


def test_nothing_to_do_has_no_rates(bench: Bench, notes: Callable[..., Path]) -> None:
    source = notes(a="asthma")
    bench.run(source)
    bench.run(source)
    assert {group for group, _ in rows_of(bench)} == {
        "documents",
        "work",
        "seconds",
        "seconds in workers",
    }


def test_words_of_a_reason_that_is_not_known_stay_here(
    bench: Bench, notes: Callable[..., Path]
) -> None:
    bench.run(notes(a="unreadable", b="unreadable"))
    with open_warehouse(bench.warehouse) as connection:
        connection.execute("UPDATE rejects SET reason = 'Zebrafinchitis in /wards/Smith.csv'")
    rows = rows_of(bench)
    assert rows["rejects", "another, while annotating"] == 2
    assert not any("Zebra" in str(cell) or "Smith" in str(cell) for key in rows for cell in key)


def test_file_that_cannot_be_read_is_told_without_its_words(
    bench: Bench, notes: Callable[..., Path], tmp_path: Path
) -> None:
    good = notes(a="asthma")
    broken = tmp_path / "Smith.jsonl.gz"
    broken.write_bytes(gzip.compress(good.read_bytes() * 500)[:-12])
    bench.run(good, broken)
    assert rows_of(bench)["rejects", "a file that cannot be read as a whole"] == 1


@pytest.mark.parametrize("reason", [ENDED_WORKER, HUNG_WORKER])
def test_what_became_of_a_worker_is_told(reason: str) -> None:
    assert reason_group(reason, "annotate") == reason


def test_what_varies_in_a_reason_is_left_out() -> None:
    assert (
        reason_group("row has 3 cells, header has 4", "read")
        == reason_group("row has 5 cells, header has 4", "read")
        == "row has another number of cells than the header"
    )
    assert reason_group("annotation failed: ValueError", "annotate") == "annotation failed"


def reasons_of_readers() -> list[str]:
    """How the literal reasons in the readers' code begin, up to anything computed."""
    found = set()
    for path in Path(flows.readers.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "BadRecord":
                found |= {text for argument in node.args for text in _beginnings(argument)}
    return sorted(found)


def _beginnings(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp):
        return [*_beginnings(node.body), *_beginnings(node.orelse)]
    if isinstance(node, ast.JoinedStr):
        node = node.values[0]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


@pytest.mark.parametrize("reason", reasons_of_readers())
def test_every_reason_of_a_reader_is_told(reason: str) -> None:
    assert any(known.startswith(reason) or reason.startswith(known) for known in REASONS)
