"""What came of generation, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from flows.generating.order import Generation
from flows.generating.plan import without_text
from flows.warehouse.connection import Connection


@dataclass(frozen=True)
class Generated:
    """A run's counts. ``new_rejects`` decides exit 3.

    Attributes:
        run_id: the run.
        warehouse: its path.
        generation_id: the set that was written.
        task: of the set.
        model: of the set.
        items: that the task gave.
        done: of them that were worked on.
        skipped: that were in the set already.
        new_rejects: that failed.
        removed: items whose document is gone.
        without_text: documents left out because their text is not kept.
        truncated: texts of which the model did not see all input.
        cut_off: texts that ended because of their length.
        prompt_tokens: tokens that the model was given.
        completion_tokens: tokens that it made.
        model_seconds: of the model, over all workers.
        unparsed: statements that could not be read as relations.
        relations: found in the set's new items.
        seconds: wall time of the stage.
    """

    run_id: str
    warehouse: str
    generation_id: str
    task: str
    model: str
    items: int
    done: int
    skipped: int
    new_rejects: int
    removed: int
    without_text: int
    truncated: int
    cut_off: int
    prompt_tokens: int
    completion_tokens: int
    model_seconds: float
    unparsed: int
    relations: int
    seconds: float

    @property
    def tokens_per_second(self) -> float:
        """Tokens made in a second of a worker."""
        return self.completion_tokens / self.model_seconds if self.model_seconds else 0.0

    def as_dict(self) -> dict[str, object]:
        """For ``--json``."""
        return asdict(self) | {"tokens_per_second": round(self.tokens_per_second, 1)}


def count_generated(connection: Connection, run_ids: Sequence[str]) -> dict[str, float]:
    """Counts of what runs have written, by fixed names."""
    names = ("done", "truncated", "cut_off", "prompt_tokens", "completion_tokens", "unparsed")
    (counts,) = connection.execute(
        "SELECT count(*) FILTER (i.status = 'done'), "
        "count(*) FILTER (g.truncated_tokens > 0), count(*) FILTER (g.finish_reason = 'length'), "
        "coalesce(sum(g.prompt_tokens), 0), coalesce(sum(g.completion_tokens), 0), "
        "coalesce(sum(g.unparsed), 0) FROM generation_items i LEFT JOIN generations g "
        "ON g.item_id = i.item_id AND g.generation_id = i.generation_id "
        "WHERE list_contains(?, i.run_id)",
        [list(run_ids)],
    ).fetchall()
    counted = {name: float(count) for name, count in zip(names, counts, strict=True)}
    ((relations,),) = connection.execute(
        "SELECT count(*) FROM relations r JOIN generation_items i "
        "ON i.item_id = r.document_id AND i.generation_id = r.generation_id "
        "WHERE list_contains(?, i.run_id)",
        [list(run_ids)],
    ).fetchall()
    ((seconds, rejected),) = connection.execute(
        "SELECT coalesce(sum(seconds.generate), 0), coalesce(sum(rejected), 0) FROM shards "
        "WHERE list_contains(?, run_id)",
        [list(run_ids)],
    ).fetchall()
    return counted | {
        "relations": float(relations),
        "model_seconds": round(float(seconds), 3),
        "new_rejects": float(rejected),
    }


def summarise_generation(
    connection: Connection, warehouse: Path, run_id: str, generation: Generation
) -> Generated:
    """Read a finished run's summary from the warehouse."""
    ((read, skipped, duplicates, pruned, seconds),) = connection.execute(
        "SELECT read, skipped, duplicates, pruned, seconds.annotate FROM runs WHERE run_id = ?",
        [run_id],
    ).fetchall()
    counted = count_generated(connection, [run_id])
    return Generated(
        run_id=run_id,
        warehouse=str(warehouse),
        generation_id=generation.set.generation_id,
        task=generation.set.task,
        model=generation.set.model,
        items=read - duplicates,
        done=int(counted["done"]),
        skipped=skipped,
        new_rejects=int(counted["new_rejects"]),
        removed=pruned,
        without_text=without_text(connection, generation.where),
        truncated=int(counted["truncated"]),
        cut_off=int(counted["cut_off"]),
        prompt_tokens=int(counted["prompt_tokens"]),
        completion_tokens=int(counted["completion_tokens"]),
        model_seconds=counted["model_seconds"],
        unparsed=int(counted["unparsed"]),
        relations=int(counted["relations"]),
        seconds=round(seconds, 3),
    )
