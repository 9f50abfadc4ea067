"""Tables for Prefect: a run is complete, whatever Prefect says of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from flows import publishing
from flows.progress import Reporter
from flows.publishing import RunTable, offer

COUNTS = RunTable("counts", [{"what": "read", "value": 3}], "Counts")
SCORES = RunTable("scores", [{"label": "Disease", "f1": 0.8}], "Scores")


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What Prefect is given."""
    given: list[dict[str, Any]] = []
    monkeypatch.setattr(publishing, "create_table_artifact", lambda **table: given.append(table))
    return given


def test_prefect_is_given_each_table(taken: list[dict[str, Any]]) -> None:
    with Reporter("run", None) as reporter:
        offer(reporter, "the tables", [COUNTS, SCORES])
    assert [(t["key"], t["table"], t["description"]) for t in taken] == [
        ("counts", COUNTS.rows, "Counts"),
        ("scores", SCORES.rows, "Scores"),
    ]


def test_what_prefect_does_not_take_is_told_by_its_kind_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**table: Any) -> None:
        raise ConnectionError("words of a patient")

    monkeypatch.setattr(publishing, "create_table_artifact", refuse)
    with Reporter("run", None) as reporter:
        offer(reporter, "the tables", [COUNTS])
    told = capsys.readouterr().err
    assert "Prefect did not take the tables (ConnectionError)" in told
    assert "patient" not in told


def test_a_table_that_cannot_be_made_does_no_harm(
    taken: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    def tables() -> Iterator[RunTable]:
        yield COUNTS
        raise KeyError("gone")

    with Reporter("run", None) as reporter:
        offer(reporter, "the tables", tables())
    assert [table["key"] for table in taken] == ["counts"]
    assert "Prefect did not take the tables (KeyError)" in capsys.readouterr().err
