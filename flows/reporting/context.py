"""What the sections of a report are made from: an open warehouse, a run, and what was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from flows.errors import CharthouseError
from flows.warehouse.derived.state import were_made
from flows.warehouse.layout import Connection
from flows.warehouse.problems import WarehouseError
from flows.warehouse.runs import GENERATES

Row = dict[str, Any]

LATEST = "latest"


@dataclass(frozen=True)
class ReportOptions:
    """What a report is to show.

    Attributes:
        title: of the page.
        run: start of a run_id, or `latest`.
        top: concepts and names in lists and charts, at most.
        with_text: whether text of documents, and what is made of it, may stand in the page.
        documents: documents in the viewer, at most; none without ``with_text``.
        seed: of the draw of documents for the viewer.
    """

    title: str = ""
    run: str = LATEST
    top: int = 25
    with_text: bool = False
    documents: int = 100
    seed: int = 0


@dataclass(frozen=True)
class Context:
    """A warehouse that is open for reading, and the run that the page is about."""

    connection: Connection
    warehouse: Path
    run_id: str
    options: ReportOptions

    def rows(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """The rows of a query, each with its columns by name."""
        result = self.connection.execute(query, parameters)
        names = [column[0] for column in result.description or []]
        return [
            {name: _plain(value) for name, value in zip(names, row, strict=True)}
            for row in result.fetchall()
        ]


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def context_of(connection: Connection, warehouse: Path, options: ReportOptions) -> Context:
    """Look for the run and for derived tables.

    Raises:
        CharthouseError: there is no run, or not the one asked for; or derived tables were never
            made.
    """
    run_id = _run(connection, warehouse, options.run)
    if not were_made(connection):
        raise WarehouseError(
            f"warehouse {warehouse} has no derived tables of this release, which a report is made "
            "from",
            f"charthouse refresh --warehouse {warehouse} makes them",
        )
    return Context(connection, warehouse, run_id, options)


def _run(connection: Connection, warehouse: Path, asked: str) -> str:
    # The latest that annotated documents and was not given up, else the latest of any kind.
    runs = [
        run_id
        for (run_id,) in connection.execute(
            f"SELECT run_id FROM runs ORDER BY NOT {GENERATES} AND status != 'abandoned', run_id"
        ).fetchall()
    ]
    if not runs:
        raise WarehouseError(
            f"warehouse {warehouse} has no run to report on",
            f"charthouse run SOURCE --warehouse {warehouse} makes one",
        )
    if asked == LATEST:
        return str(runs[-1])
    found = [run_id for run_id in runs if run_id.startswith(asked)]
    if len(found) != 1:
        many = "begins more than one run_id" if found else "begins no run_id"
        raise CharthouseError(
            f"run {asked} {many}", f"charthouse status --warehouse {warehouse} lists them"
        )
    return str(found[0])
