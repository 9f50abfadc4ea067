"""Fixtures for the flows room: orders over small sources, and annotation without a model."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import polars as pl
import pytest

from flows.annotate_worker import staged_output
from flows.conservation import check_run
from flows.counts import PlanCounts
from flows.deidentifying import Deidentifies, annotate_deidentified
from flows.order import Order
from flows.plan import Planner
from flows.readers.discover import discover
from flows.receipt import Receipt, check, stage
from flows.run import known_as
from flows.settings import Settings
from flows.warehouse import runs
from flows.warehouse.access import Access
from flows.warehouse.connection import Connection, open_warehouse
from flows.warehouse.load import load_checked
from flows.warehouse.privacy import check_privacy
from flows.work import WorkFolder, make_private
from nlp.annotate import Annotations, Reject
from nlp.fingerprint import AnnotationSet, ModelIdentity
from nlp.schema import ANNOTATION_TABLES, DOCUMENTS, MENTIONS, SECTION_SPANS
from nlp.settings import PrivacySettings

if TYPE_CHECKING:
    from nlp.annotate import Annotator


def write_jsonl(path: Path, *records: dict[str, object]) -> Path:
    """Write records as JSON lines."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def write_incoming(path: Path, texts: Mapping[str, str]) -> Path:
    """Write a shard file of notes, each a document that is new."""
    rows = [
        {
            "document_id": f"notes:{key}",
            "corpus": "notes",
            "native_id": key,
            "kind": "note",
            "text": text,
            "source_hash": "",
            "metadata_hash": "",
            "source_order": ordinal,
            "metadata": "{}",
            "is_deleted": False,
            "path": "n.jsonl",
            "ordinal": ordinal,
        }
        for ordinal, (key, text) in enumerate(texts.items())
    ]
    schema = DOCUMENTS.schema | {"path": pl.String, "ordinal": pl.Int64}
    pl.DataFrame(rows, schema=schema).with_columns(
        sections=pl.lit([], dtype=SECTION_SPANS),
        characters=pl.col("text").str.len_chars().cast(pl.Int64),
        replaces=pl.lit(False),
    ).write_parquet(path)
    return path


OFF = PrivacySettings()


@dataclass(frozen=True)
class RuleAnnotator:
    """Stands in for the annotator: the first word of each document is its one mention.

    Documents that hold the word ``unreadable`` become rejects.
    """

    identity: AnnotationSet

    def annotate(
        self,
        documents: pl.DataFrame,
        progress: Callable[[int], None] = lambda done: None,
        *,
        one_by_one: bool = False,
    ) -> Annotations:
        """Annotate as :meth:`nlp.annotate.Annotator.annotate` does."""
        bad = documents["text"].str.contains("unreadable")
        frames = {table.name: table.empty() for table in ANNOTATION_TABLES}
        word = pl.col("text").str.extract(r"^(\S+)")
        frames["mentions"] = MENTIONS.conform(
            documents.filter(~bad).select(
                "document_id",
                annotation_id=pl.lit(self.identity.annotation_id),
                mention_id=pl.lit(0),
                start_char=pl.lit(0),
                end_char=word.str.len_chars(),
                mention_text=word,
                label=pl.lit("Disease"),
                score=pl.lit(1.0),
                model=pl.lit("rule"),
                lookup_text=word,
            )
        )
        progress(len(documents))
        rejects = [Reject(row, "annotation failed") for row in bad.arg_true().to_list()]
        return Annotations(frames, rejects)


def annotate_by_rule(
    annotation_id: str,
    path: Path,
    staged: Path,
    number: int,
    privacy: PrivacySettings = OFF,
    deidentifier: Deidentifies | None = None,
) -> Receipt:
    """Stand in for a worker: annotate and stage a shard file."""
    documents = pl.read_parquet(path)
    annotator = RuleAnnotator(AnnotationSet(annotation_id, (), "{}"))
    if deidentifier is None:
        found = annotator.annotate(documents)
    else:
        found = annotate_deidentified(
            documents, deidentifier, cast("Annotator", annotator), privacy, lambda done: None
        )
    return stage(staged, number, *staged_output(documents, found))


@cache
def empty_warehouse() -> bytes:
    """A warehouse with all tables and views, as a file: copying one takes a tenth of making it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.duckdb"
        with open_warehouse(path):
            pass
        return path.read_bytes()


def lay(path: Path) -> Path:
    """An empty warehouse, where there is no file yet."""
    if not path.exists():
        path.write_bytes(empty_warehouse())
    return path


@dataclass
class Bench:
    """A warehouse to plan and load into without models, Prefect or processes."""

    warehouse: Path
    annotation_id: str = "rule-1"
    settings: dict[str, object] = field(default_factory=dict)
    keep_previous: bool = False
    access: Access = field(default_factory=Access)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    deidentifier: Deidentifies | None = None

    def order(self, *sources: Path | str, **source_settings: object) -> Order:
        """An order over the sources."""
        settings = Settings(
            source=source_settings,
            execution={"workers": 2, **self.settings},
            keep_previous=self.keep_previous,
            privacy=self.privacy,
        )
        corpus = settings.source.corpus
        files = discover([str(s) for s in sources], corpus=corpus)
        annotation = AnnotationSet(
            self.annotation_id,
            (ModelIdentity("rule", self.annotation_id, ("Disease",)),),
            json.dumps({"privacy": self.annotation_id} if self.privacy.is_on else {}),
        )
        return Order(
            self.warehouse,
            known_as(files, settings),
            settings,
            annotation,
            (),
            tuple(s if isinstance(s, str) else str(s.absolute()) for s in sources),
        )

    def run(self, *sources: Path | str, **source_settings: object) -> PlanCounts:
        """Plan, annotate by rule and load everything; returns what planning found."""
        order = self.order(*sources, **source_settings)
        if self.access.key is None:
            lay(self.warehouse)
        with open_warehouse(self.warehouse, self.access) as connection:
            return self.run_order(connection, order)

    def run_order(self, connection: Connection, order: Order) -> PlanCounts:
        """The same on an open warehouse."""
        work = WorkFolder.beside(self.warehouse)
        make_private(work.root)
        check_privacy(connection, self.privacy)
        run_id = runs.next_run_id(connection)
        runs.begin_run(connection, run_id, order)
        planner = Planner(connection, order, work, run_id)
        counts = planner.read()
        planner.commit(counts, 0.0)
        for shard in runs.planned_shards(connection, run_id):
            receipt = annotate_by_rule(
                self.annotation_id,
                Path(shard.path),
                work.staged(run_id),
                shard.number,
                self.privacy,
                self.deidentifier,
            )
            check(receipt)
            load_checked(
                connection,
                run_id,
                self.annotation_id,
                [(shard.path, receipt)],
                deidentified=self.privacy.is_on,
            )
        runs.close_sources(connection, run_id)
        check_run(connection, run_id)
        runs.finish_run(connection, run_id, {})
        return counts

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """Rows of a query."""
        with open_warehouse(self.warehouse, self.access) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "w.duckdb")


@pytest.fixture
def notes(tmp_path: Path) -> Callable[..., Path]:
    """Write ``{id: text}`` as a JSON lines source of a given name; later keywords are columns."""

    def write(name: str = "notes", **texts: str) -> Path:
        records = [{"note_id": key, "text": text} for key, text in texts.items()]
        return write_jsonl(tmp_path / f"{name}.jsonl", *records)

    return write
