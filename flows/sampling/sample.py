"""Drawing a sample: the pool, the choice, and the files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from flows.errors import CharthouseError
from flows.exporting.documents import stream_documents
from flows.exporting.selection import SELECTED
from flows.readers.drawn import Drawn
from flows.sampling.files import write_sample
from flows.sampling.pool import POOL, make_pool
from flows.sampling.request import SampleRequest
from flows.sampling.strategies import Draw, draw
from flows.schema import SCHEMA_VERSION
from flows.settings import ExecutionSettings
from flows.warehouse.access import Access
from flows.warehouse.connection import Connection, read_beside
from flows.warehouse.layout import check_version
from flows.warehouse.memory import bound_memory


@dataclass(frozen=True)
class Group:
    """Documents of a corpus and kind: in the pool and drawn, and what is in the drawn ones."""

    corpus: str
    kind: str
    pool: int
    drawn: int
    characters: int
    mentions: int


@dataclass(frozen=True)
class Sampled:
    """What was drawn: numbers, no ids."""

    request: SampleRequest
    drawn: Drawn
    pool: int
    without_text: int
    excluded: int
    groups: tuple[Group, ...]
    facts: dict[str, int | float]
    notes: tuple[str, ...]
    files: tuple[Path, ...]

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "files": [str(file) for file in self.files],
            "format": str(self.request.form),
            "sample": self.drawn.described(),
            "pool": self.pool,
            "without_text": self.without_text,
            "excluded": self.excluded,
            "groups": [asdict(group) for group in self.groups],
            "facts": self.facts,
            "notes": list(self.notes),
        }


def sample(
    request: SampleRequest,
    access: Access | None = None,
    execution: ExecutionSettings | None = None,
    *,
    dry_run: bool = False,
) -> Sampled:
    """Draw documents of a warehouse, which is only read, and write them for annotators.

    Args:
        request: what to draw; its file is replaced where it is there.
        access: how the warehouse is opened.
        execution: bounds DuckDB's memory.
        dry_run: draw, and write nothing.

    Raises:
        CharthouseError: the warehouse cannot be read, nothing can be drawn, or a file cannot be
            written.
    """
    with read_beside(request.warehouse, access or Access()) as connection, _told():
        if check_version(connection, request.warehouse) != SCHEMA_VERSION:
            raise CharthouseError(
                f"warehouse {request.warehouse} was made by an older charthouse",
                f"charthouse compact -w {request.warehouse} brings it up to date",
            )
        bound_memory(connection, execution or ExecutionSettings())
        connection.execute("SET enable_progress_bar = false")
        pool = make_pool(connection, request)
        choice = draw(connection, request, pool.labels)
        _select(connection, choice)
        drawn = Drawn(
            strategy=str(request.strategy),
            seed=request.seed,
            documents=len(choice.document_ids),
            labels=pool.labels,
            blind=request.blind,
            by=tuple(map(str, request.by)),
            restricted=request.is_restricted,
        )
        groups = _groups(connection, pool.labels)
        notes = tuple(_notes(connection, request.labels))
        files: list[Path] = []
        if not dry_run:
            documents = stream_documents(connection)
            files = write_sample(request.out, request.form, documents, drawn)
    return Sampled(
        request=request,
        drawn=drawn,
        pool=pool.documents,
        without_text=pool.without_text,
        excluded=pool.excluded,
        groups=groups,
        facts=choice.facts,
        notes=(*choice.notes, *notes),
        files=tuple(files),
    )


def _select(connection: Connection, choice: Draw) -> None:
    """Leave the drawn documents in :data:`SELECTED`, in the order of choice."""
    frame = pl.DataFrame(
        list(enumerate(choice.document_ids, start=1)),
        schema={"rank": pl.Int64, "document_id": pl.String},
        orient="row",
    )
    connection.register("choice", frame.to_arrow())
    connection.execute(
        "CREATE TABLE memory.main.chosen AS SELECT c.rank AS ordinal, "
        f"s.* EXCLUDE (ordinal) FROM choice c JOIN {SELECTED} s USING (document_id)"
    )
    connection.unregister("choice")
    connection.execute(f"CREATE OR REPLACE TABLE {SELECTED} AS FROM memory.main.chosen")


def _groups(connection: Connection, labels: tuple[str, ...]) -> tuple[Group, ...]:
    rows = connection.execute(
        f"""
        WITH there AS (SELECT corpus, kind, count(*) AS pool FROM {POOL} GROUP BY ALL),
        drawn AS (
          SELECT d.corpus, d.kind, count(*) AS drawn, sum(length(d.text))::BIGINT AS characters
          FROM {SELECTED} s JOIN documents d ON d.rowid = s.place GROUP BY ALL),
        found AS (
          SELECT d.corpus, d.kind, count(*) AS mentions FROM {SELECTED} s
          JOIN documents d ON d.rowid = s.place
          JOIN mentions m ON m.document_id = s.document_id AND m.annotation_id = s.annotation_id
          WHERE list_contains($labels, m.label) GROUP BY ALL)
        SELECT corpus, kind, pool, coalesce(drawn, 0), coalesce(characters, 0),
          coalesce(mentions, 0)
        FROM there LEFT JOIN drawn USING (corpus, kind) LEFT JOIN found USING (corpus, kind)
        ORDER BY corpus, kind
        """,
        {"labels": list(labels)},
    ).fetchall()
    return tuple(Group(*row) for row in rows)


def _notes(connection: Connection, asked: tuple[str, ...]) -> Iterator[str]:
    """What may be in the way of whoever judges the warehouse by the drawn documents."""
    ((sets,),) = connection.execute(
        f"SELECT count(DISTINCT annotation_id) FROM {SELECTED}"
    ).fetchall()
    if sets > 1:
        yield (
            f"the drawn documents were annotated in {sets} ways (other models or settings), of "
            "which charthouse evaluate judges one at a time: draw each by --corpus or --where"
        )
    known = connection.execute(
        f"SELECT DISTINCT label FROM mentions SEMI JOIN {POOL} USING (document_id, annotation_id)"
    ).fetchall()
    if strange := sorted(set(asked) - {label for (label,) in known}):
        yield f"no mention to draw from has the label {', '.join(strange)}"


@contextmanager
def _told() -> Iterator[None]:
    """An interruption within a query as such; errors of DuckDB without their words."""
    try:
        yield
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except duckdb.OutOfMemoryException:
        raise CharthouseError(
            "the sample needs more memory than DuckDB may hold",
            "Raise execution.memory_megabytes, or narrow the choice with --where",
        ) from None
