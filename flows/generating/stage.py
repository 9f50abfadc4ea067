"""The generate stage: shards of items."""

from __future__ import annotations

from collections.abc import Sequence

from flows.generating.load import load_generated
from flows.generating.staging import stage_rejects
from flows.receipt import Receipt
from flows.shard_stage import ShardStage
from flows.warehouse.runs import PlannedShard


class GenerateStage(ShardStage):
    """Loads what models wrote, and rejects items that end their worker."""

    doing = "generating"
    unit = "items"

    def load(self, shards: Sequence[tuple[str, Receipt]]) -> None:
        """Load shards in one transaction."""
        session = self.session
        generation_id = session.order.annotation.annotation_id
        load_generated(session.connection, session.run_id, generation_id, shards)

    def reject(self, shard: PlannedShard, reason: str) -> Receipt:
        """Stage a shard's items as rejects."""
        staged = self.session.work.staged(self.session.run_id)
        return stage_rejects(staged, shard.number, shard.path, reason)
