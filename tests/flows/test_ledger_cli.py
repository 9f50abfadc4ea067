"""Flags that decide what the ledger keeps, from the command line to the tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.flows.conftest import write_jsonl
from tests.flows.runs import charthouse, query, within

SHOWN = "SELECT DISTINCT annotation_id FROM entities"


@pytest.mark.slow
def test_sets_side_by_side_and_documents_that_vanish(tmp_path: Path, prefect_address: str) -> None:
    folder, warehouse = tmp_path / "notes", tmp_path / "w.duckdb"
    folder.mkdir()
    for name in ("a", "b", "c"):
        text = f"Asthma and hypertension, seen by {name}."
        write_jsonl(folder / f"{name}.jsonl", {"id": name, "text": text})
    call = ("run", folder, "-w", warehouse, "--corpus", "c", "--workers", "1", "--json")
    dictionary = ("--model", "none", "--dictionary", "sample")

    def run(*flags: str) -> dict[str, object]:
        done = charthouse(
            tmp_path, *call, *dictionary, *flags, PREFECT_API_URL=prefect_address, **environment
        )
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    environment = {"CHARTHOUSE_DICTIONARY__MIN_CHARACTERS": "3"}
    assert run()["new"] == 3
    ((first,),) = query(warehouse, SHOWN)
    environment = {"CHARTHOUSE_DICTIONARY__MIN_CHARACTERS": "7"}
    assert run("--keep-previous")["replaced"] == 3
    ((second,),) = query(warehouse, SHOWN)
    assert first != second
    assert query(
        warehouse,
        "SELECT annotation_id, is_current, count(*) FROM document_annotations GROUP BY ALL "
        "ORDER BY is_current",
    ) == [(first, False, 3), (second, True, 3)]
    # What the former set found is there for comparison; the views do not show it.
    assert query(
        warehouse,
        "SELECT count(*) FROM mentions GROUP BY annotation_id = (SELECT any_value(annotation_id) "
        "FROM entities) ORDER BY 1",
    ) == [(3,), (6,)]
    (folder / "b.jsonl").unlink()
    preview = run("--prune", "--dry-run")
    assert preview["counts"]["pruned"] == 1  # type: ignore[index]
    assert run("--prune")["pruned"] == 1
    for table in ("documents", "document_annotations", "mentions"):
        found = query(warehouse, f"SELECT DISTINCT document_id FROM {table} ORDER BY 1")
        assert found == [("c:a",), ("c:c",)], table
    environment = {"CHARTHOUSE_DICTIONARY__MIN_CHARACTERS": "3"}
    assert run()["skipped"] == 2
    assert query(warehouse, SHOWN) == [(first,)]
    refused = within(tmp_path, *call, *dictionary, "--prune", "--limit", "1", **environment)
    assert refused.returncode == 1 and "exclude each other" in refused.stderr
