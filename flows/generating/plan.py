"""Planning generation: which items are new, changed or done, cut into shard files.

As with the main job, nothing reaches the warehouse before the one transaction at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from flows.counts import PlanCounts
from flows.errors import CharthouseError
from flows.generating.order import Generation
from flows.generating.schema import GENERATION_ITEMS, GENERATION_SETS, ITEM_SCHEMA
from flows.generating.shards import cut_items, shard_size
from flows.generating.tasks import task_of
from flows.order import Order
from flows.settings import Settings
from flows.shard_files import ShardFile
from flows.warehouse import runs
from flows.warehouse.connection import Connection, transaction
from flows.warehouse.ddl import create_table, literal, quoted
from flows.warehouse.generated import remove_items
from flows.warehouse.layout import tables_there
from flows.work import WorkFolder, make_private, remove_tree, write_privately

NEW, CHANGED, SKIP, DUPLICATE = "new", "changed", "skip", "duplicate"
WORKED_ON = f"verdict IN ('{NEW}', '{CHANGED}')"


@dataclass(frozen=True)
class GenerationPreview:
    """What a run would do.

    Attributes:
        generation_id: of the set.
        items: that the task gave.
        new: of them not in the set yet.
        changed: in the set, made of another input.
        done: in the set already.
        characters: of inputs to work on.
        shards: they would be cut into.
        removed: items whose document is gone.
        without_text: documents that ``where`` selects and that have no text, left out.
    """

    generation_id: str
    items: int
    new: int
    changed: int
    done: int
    characters: int
    shards: int
    removed: int
    without_text: int


class GenerationPlanner:
    """One planning pass over a task's items, held in a temporary table of the warehouse."""

    def __init__(
        self,
        connection: Connection,
        order: Order,
        work: WorkFolder,
        run_id: str,
        *,
        check: Callable[[], None] = lambda: None,
        progress: Callable[[int], None] = lambda items: None,
    ) -> None:
        """Prepare a plan; arguments as of :class:`flows.plan.Planner`."""
        assert order.generation is not None
        self._connection, self._order, self._work, self._run_id = connection, order, work, run_id
        self._generation: Generation = order.generation
        self._id = order.generation.set.generation_id
        self._check, self._progress = check, progress
        self._spooled: list[Path] = []

    def read(self, *, spool: bool = True) -> PlanCounts:
        """Take all items from the task and decide on each.

        Args:
            spool: keep their inputs; a dry run does without.

        Raises:
            CharthouseError: the condition on documents fails while it runs.
        """
        if GENERATION_ITEMS.name not in tables_there(self._connection):  # of an older release
            self._connection.execute(
                create_table(GENERATION_ITEMS, keyed=True).replace("TABLE", "TEMP TABLE", 1)
            )
        self._connection.execute(
            "CREATE OR REPLACE TEMP TABLE items_given (seq BIGINT, item_id VARCHAR, "
            "document_id VARCHAR, person_id VARCHAR, source_hash VARCHAR, characters BIGINT, "
            "verdict VARCHAR)"
        )
        folder = self._work.spool(self._run_id)
        remove_tree(folder)
        if spool:
            make_private(folder)
        read = 0
        for number, frame in enumerate(self._items()):
            self._check()
            numbered = frame.with_row_index("seq", read).with_columns(pl.col("seq").cast(pl.Int64))
            needed = self._judge(numbered)
            if spool and needed:
                path = folder / f"{number:07d}.parquet"
                kept = numbered.filter(pl.col("seq").is_in(needed))
                write_privately(path, lambda to, kept=kept: kept.write_parquet(to))  # type: ignore[misc]
                self._spooled.append(path)
            read += len(frame)
            self._progress(read)
        self._connection.execute(
            f"UPDATE items_given SET verdict = '{DUPLICATE}' WHERE seq NOT IN "
            "(SELECT min(seq) FROM items_given GROUP BY item_id)"
        )
        found = dict(
            self._connection.execute(
                "SELECT verdict, count(*) FROM items_given GROUP BY verdict"
            ).fetchall()
        )
        return PlanCounts(
            read=read,
            skipped=found.get(SKIP, 0),
            duplicates=found.get(DUPLICATE, 0),
            superseded=0,
            new=found.get(NEW, 0),
            replaced=found.get(CHANGED, 0),
            metadata_updated=0,
            deleted=0,
            rejected=0,
            pruned=self._gone(),
        )

    def preview(self) -> GenerationPreview:
        """What a run would do, without files."""
        counts = self.read(spool=False)
        sizes = self._connection.execute(
            f"SELECT characters FROM items_given WHERE {WORKED_ON} ORDER BY seq"
        ).fetchall()
        return GenerationPreview(
            self._id,
            counts.read - counts.duplicates,
            counts.new,
            counts.replaced,
            counts.skipped,
            sum(size for (size,) in sizes),
            _count_shards([size for (size,) in sizes], *shard_size(self._settings, len(sizes))),
            counts.pruned,
            without_text(self._connection, self._generation.where),
        )

    def commit(self, counts: PlanCounts, seconds: float) -> None:
        """Cut the shards and store the plan in one transaction."""
        shards = list(
            cut_items(
                self._needed(),
                self._work,
                self._run_id,
                *shard_size(self._settings, counts.new + counts.replaced),
            )
        )
        connection = self._connection
        with transaction(connection):
            remove_items(connection, f"SELECT item_id, generation_id FROM ({_GONE})", [self._id])
            self._remember_set()
            for shard in shards:
                self._plan(shard)
            connection.execute(
                "UPDATE runs SET read = ?, skipped = ?, duplicates = ?, superseded = 0, new = ?, "
                "replaced = ?, metadata_updated = 0, deleted = 0, rejected = 0, pruned = ?, "
                "forgotten = 0, seconds = {plan: ?, annotate: 0, link: 0, total: ?, derive: 0, "
                "quality: 0} "
                "WHERE run_id = ?",
                [
                    counts.read,
                    counts.skipped,
                    counts.duplicates,
                    counts.new,
                    counts.replaced,
                    counts.pruned,
                    seconds,
                    seconds,
                    self._run_id,
                ],
            )
        connection.execute("DROP TABLE items_given")
        remove_tree(self._work.spool(self._run_id))

    def still_stands(self) -> bool:
        """Whether what an interrupted run has left to do is what is to be done now.

        The main job may have changed documents meanwhile, or removed what the run had loaded.
        """
        self.read(spool=False)
        connection = self._connection
        paths = [literal(s.path) for s in runs.planned_shards(connection, self._run_id)]
        waiting = (
            "SELECT item_id, person_id, source_hash FROM "
            + f"read_parquet([{', '.join(paths)}], hive_partitioning = false)"
            if paths
            else "SELECT NULL AS item_id, NULL AS person_id, NULL AS source_hash WHERE false"
        )
        wanted = f"SELECT item_id, person_id, source_hash FROM items_given WHERE {WORKED_ON}"
        ((differing, missing),) = connection.execute(
            f"SELECT (SELECT count(*) FROM (({waiting}) EXCEPT ({wanted}))) + "
            f"(SELECT count(*) FROM (({wanted}) EXCEPT ({waiting}))), "
            "(SELECT coalesce(sum(documents), 0) FROM shards WHERE run_id = $run "
            "AND status = 'loaded') - (SELECT count(*) FROM generation_items WHERE run_id = $run)",
            {"run": self._run_id},
        ).fetchall()
        connection.execute("DROP TABLE items_given")
        return bool(differing == 0 and missing == 0)

    @property
    def _settings(self) -> Settings:
        return self._order.settings

    def _items(self) -> Iterator[pl.DataFrame]:
        """The task's items in declared columns, as many as may be."""
        left = self._generation.limit
        cursor = beside(self._connection)
        task = task_of(self._generation.set.task)
        try:
            # Told again at the end: a value that the condition does not bear is told of here.
            without_text(cursor, self._generation.where)
            for frame in task.items(cursor, self._generation.request(self._settings)):
                items = frame.select(pl.col(name).cast(kind) for name, kind in ITEM_SCHEMA.items())
                items = items if left is None else items.head(left)
                left = None if left is None else left - len(items)
                if len(items):
                    yield items
                if left == 0:
                    return
        except duckdb.Error as error:  # its words may quote a value
            raise CharthouseError(
                f"the documents cannot be read ({type(error).__name__})",
                "If --where is given, see whether it fits all values",
            ) from None
        finally:
            cursor.close()

    def _judge(self, numbered: pl.DataFrame) -> list[int]:
        """Judge items by the ledger; gives ``seq`` of those to work on."""
        connection = self._connection
        connection.register("items_read", numbered.drop("input").to_arrow())
        retried = (
            "g.status = 'rejected' AND g.run_id != $run"
            if self._settings.source.retry_rejects
            else "false"
        )
        connection.execute(
            f"""
            INSERT INTO items_given BY NAME
            SELECT r.seq, r.item_id, r.document_id, r.person_id, r.source_hash, r.characters,
                   CASE WHEN g.item_id IS NULL THEN '{NEW}'
                        WHEN g.source_hash != r.source_hash OR ({retried}) THEN '{CHANGED}'
                        ELSE '{SKIP}' END AS verdict
            FROM items_read r LEFT JOIN generation_items g
              ON g.item_id = r.item_id AND g.generation_id = $id
            WHERE $run IS NOT NULL
            """,
            {"id": self._id, "run": self._run_id},
        )
        connection.unregister("items_read")
        rows = connection.execute(
            f"SELECT seq FROM items_given WHERE seq >= ? AND {WORKED_ON} ORDER BY seq",
            [numbered["seq"][0]],
        ).fetchall()
        return [seq for (seq,) in rows]

    def _needed(self) -> Iterator[pl.DataFrame]:
        """Items to work on, with ``replaces``: true of those that are in the set."""
        for path in self._spooled:
            self._check()
            frame = pl.read_parquet(path)
            rows = self._connection.sql(
                f"SELECT seq, verdict = '{CHANGED}' AS replaces FROM items_given "
                f"WHERE {WORKED_ON} AND seq BETWEEN $first AND $last",
                params={"first": frame["seq"][0], "last": frame["seq"][-1]},
            ).pl()
            yield frame.join(rows, on="seq").sort("seq").drop("seq")

    def _gone(self) -> int:
        ((count,),) = self._connection.execute(
            f"SELECT count(*) FROM ({_GONE})", [self._id]
        ).fetchall()
        return int(count)

    def _remember_set(self) -> None:
        made = self._generation.set
        self._connection.execute(
            f"INSERT INTO {GENERATION_SETS.name} (generation_id, task, model, model_fingerprint, "
            "prompt, prompt_version, prompt_sha256, parameters, created_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [
                made.generation_id,
                made.task,
                made.model,
                made.model_fingerprint,
                made.prompt,
                made.prompt_version,
                made.prompt_sha256,
                made.parameters,
                runs.now(),
            ],
        )

    def _plan(self, shard: ShardFile) -> None:
        self._connection.execute(
            "INSERT INTO shards (shard_id, run_id, path, checksum, status, documents, characters) "
            "VALUES (?, ?, ?, ?, 'planned', ?, ?)",
            [
                f"{self._run_id}:{shard.number:05d}",
                self._run_id,
                str(shard.path),
                shard.checksum,
                shard.documents,
                shard.characters,
            ],
        )


_GONE = (
    "SELECT item_id, generation_id FROM generation_items WHERE generation_id = ? "
    "AND (document_id IS NOT NULL "
    "AND document_id NOT IN (SELECT document_id FROM documents WHERE NOT is_deleted) "
    "OR document_id IS NULL AND person_id IS NOT NULL "
    "AND person_id NOT IN (SELECT person_id FROM documents WHERE NOT is_deleted "
    "AND person_id IS NOT NULL))"
)
"""Items of a set whose document or person is not there any more."""


def without_text(connection: Connection, where: str) -> int:
    """Documents that a condition selects and that have no text: privacy has dropped it."""
    ((count,),) = connection.execute(
        f"SELECT count(*) FROM documents WHERE NOT is_deleted AND text IS NULL AND ({where})"
    ).fetchall()
    return int(count)


def beside(connection: Connection) -> Connection:
    """A cursor on the same warehouse: what it streams is not ended by other statements."""
    ((database,),) = connection.execute("SELECT current_database()").fetchall()
    cursor = connection.cursor()
    cursor.execute("SET TimeZone = 'UTC'")
    cursor.execute(f"USE {quoted(database)}")
    return cursor


def _count_shards(sizes: list[int], characters: int, items: int) -> int:
    count = total = rows = 0
    for size in sizes:
        if not rows or total + size > characters or rows >= items:
            count, total, rows = count + 1, 0, 0
        total, rows = total + size, rows + 1
    return count
