"""The annotate stage: shards of documents."""

from __future__ import annotations

from collections.abc import Sequence

from flows.isolation import reject
from flows.receipt import Receipt
from flows.shard_stage import ShardStage
from flows.warehouse.load import load_checked
from flows.warehouse.runs import PlannedShard


class AnnotateStage(ShardStage):
    """Loads what annotators found, and rejects documents that end their worker."""

    doing = "annotating"
    unit = "documents"

    def load(self, shards: Sequence[tuple[str, Receipt]]) -> None:
        """Load annotated shards in one transaction."""
        load_checked(
            self.session.connection,
            self.session.run_id,
            self.session.order.annotation.annotation_id,
            shards,
            deidentified=self.session.order.settings.privacy.is_on,
        )

    def reject(self, shard: PlannedShard, reason: str) -> Receipt:
        """Stage a shard's documents as rejects."""
        privacy = self.session.order.settings.privacy
        return reject(self.session.work, self.session.run_id, shard, reason, privacy)
