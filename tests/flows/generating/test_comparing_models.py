"""The queries of docs/generation.md that compare two models, on two sets of known texts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flows.generating.schema import GENERATION_SETS, GENERATIONS
from flows.warehouse.connection import Connection, open_warehouse
from tests.flows.conftest import Bench, write_jsonl
from tests.flows.exporting.conftest import add_mention, assess

PAGE = Path(__file__).parents[3] / "docs" / "generation.md"
NOTE = "Fever of 39.5 for 3 days. No cough."


def add(connection: Connection, table: str, **values: object) -> None:
    columns = ", ".join(f"? AS {name}" for name in values)
    connection.execute(f"INSERT INTO {table} BY NAME SELECT {columns}", list(values.values()))


@pytest.fixture
def queries(tmp_path: Path):
    """Rows of each query of the page, of models careful and careless."""
    bench = Bench(tmp_path / "w.duckdb")
    bench.run(write_jsonl(tmp_path / "notes.jsonl", {"note_id": "1", "text": NOTE}))
    with open_warehouse(bench.warehouse) as connection:
        connection.execute("DELETE FROM mentions")
        add_mention(connection, "notes:1", "fever", **assess())
        add_mention(connection, "notes:1", "cough", **assess(negated=True))
        for number, (model, text, reason, lost) in enumerate(
            [
                ("careful", "Fever of 39.5 for 3 days.", "stop", 0),
                ("careless", "Cough for 30 days, 7 mg.", "length", 5),
            ]
        ):
            made = {"generation_id": f"gen-{number}", "task": "summarize", "model": model}
            add(
                connection,
                GENERATION_SETS.name,
                **made,
                model_fingerprint="f",
                parameters="{}",
                created_at=f"2026-01-0{number + 1}",
            )
            add(
                connection,
                GENERATIONS.name,
                **made,
                item_id="notes:1",
                document_id="notes:1",
                text=text,
                finish_reason=reason,
                parameters="{}",
                prompt_tokens=20,
                completion_tokens=10,
                truncated_tokens=lost,
                calls=1,
                seconds=2.0,
                score=-0.5,
                is_generated=True,
            )
        found = re.findall(r"```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
        return [connection.execute(query).fetchall() for query in found]


def test_the_queries_tell_the_models_apart(queries):
    sets, figures, pairs, invented, named = queries
    assert [row[:3] for row in sets] == [
        ("gen-0", "summarize", "careful"),
        ("gen-1", "summarize", "careless"),
    ]
    assert figures == [
        ("gen-0", "careful", 1, 0.0, 0.0, 25.0, 0.0, 5.0, -0.5),
        ("gen-1", "careless", 1, 1.0, 1.0, 24.0, 0.0, 5.0, -0.5),
    ]
    (pair,) = pairs
    assert pair[:2] == ("notes:1", "careful")
    assert pair[3] == "careless"
    assert invented == [("gen-1", "careless", "notes:1", ["30", "7"])]
    assert named == [("gen-0", "careful", 1.0, 0.0), ("gen-1", "careless", 0.0, 1.0)]
