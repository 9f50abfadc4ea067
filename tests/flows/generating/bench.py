"""Generation over a bench's warehouse in this process: no pool, no Prefect, no model."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from flows.counts import PlanCounts
from flows.generating.conservation import check_generation
from flows.generating.load import load_generated
from flows.generating.order import Generation
from flows.generating.plan import GenerationPlanner, GenerationPreview
from flows.generating.run import recover
from flows.generating.schema import ITEM_SCHEMA
from flows.generating.staging import stage_produced
from flows.generating.task import GenerationRequest
from flows.generating.tasks import TASKS
from flows.order import Order, save_order
from flows.receipt import check, finished_receipts
from flows.settings import Settings
from flows.warehouse import runs
from flows.warehouse.check import check_warehouse
from flows.warehouse.connection import Connection, open_warehouse, read_warehouse
from flows.work import WorkFolder, make_private
from nlp.fingerprint import AnnotationSet
from tests.flows.conftest import Bench


@dataclass
class Generating:
    """Calls of ``charthouse generate text`` on a bench's warehouse."""

    bench: Bench
    items_a_shard: int = 0
    task: str = "text"
    settings: dict[str, object] = field(default_factory=dict)

    def order(
        self,
        where: str = "true",
        limit: int | None = None,
        *,
        retry: bool = False,
        inputs: dict[str, str] | None = None,
    ) -> Order:
        """An order; one document a shard, as far as that goes by characters."""
        settings = Settings(
            source={"retry_rejects": retry},
            execution={"workers": 1, "shard_characters": 40, **self.settings},
        )
        request = GenerationRequest(self.task, settings, where, limit=limit, inputs=inputs or {})
        made = TASKS[self.task].identify(request)
        return Order(
            self.bench.warehouse,
            (),
            settings,
            AnnotationSet(made.generation_id, (), made.parameters),
            (),
            generation=Generation.of(request, made),
        )

    def run(self, order: Order | None = None, *, loads: int | None = None) -> PlanCounts | None:
        """Do what an order says; ``loads`` shards are loaded before the process is killed.

        One more shard is staged then and waits. Returns what planning found, None of a run that
        was gone on with.
        """
        order = order or self.order()
        with open_warehouse(self.bench.warehouse, self.bench.access) as connection:
            return self.run_on(connection, order, loads)

    def run_on(
        self, connection: Connection, order: Order, loads: int | None = None
    ) -> PlanCounts | None:
        """The same on an open warehouse."""
        assert order.generation is not None
        work = WorkFolder.beside(self.bench.warehouse)
        make_private(work.root)
        left, counts = recover(connection, order, work), None
        save_order(order, work.order)
        run_id = left or runs.next_run_id(connection)
        if left is None:
            runs.begin_run(connection, run_id, order)
            planner = GenerationPlanner(connection, order, work, run_id)
            counts = planner.read()
            planner.commit(counts, 0.0)
        worker = TASKS[self.task].load(order.generation.request(order.settings))
        staged = finished_receipts(work.staged(run_id))
        for number, shard in enumerate(runs.planned_shards(connection, run_id)):
            items = pl.read_parquet(shard.path).select(list(ITEM_SCHEMA))
            receipt = staged.get(shard.number) or stage_produced(
                work.staged(run_id),
                shard.number,
                items,
                worker.carry_out(items, lambda done: None),
                texts=True,
            )
            if number == loads:
                return counts
            check(receipt)
            load_generated(
                connection, run_id, order.annotation.annotation_id, [(shard.path, receipt)]
            )
            Path(shard.path).unlink()
        check_generation(connection, run_id)
        runs.finish_run(connection, run_id, {})
        return counts

    def preview(self, order: Order | None = None) -> GenerationPreview:
        """A dry run."""
        order = order or self.order()
        work = WorkFolder.beside(self.bench.warehouse)
        with read_warehouse(self.bench.warehouse, self.bench.access) as connection:
            return GenerationPlanner(connection, order, work, "preview").preview()

    def texts(self) -> dict[str, str]:
        """What was written, by item."""
        return dict(self.bench.query("SELECT item_id, text FROM generations"))  # type: ignore[arg-type]

    def breaches(self) -> list[str]:
        """Names of breached checks."""
        with read_warehouse(self.bench.warehouse, self.bench.access) as connection:
            found = check_warehouse(connection)
        # A bench describes no annotation set.
        return [f.name for f in found if f.breaches and f.name != "ledger_of_sets"]
