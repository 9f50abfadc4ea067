"""What one planning pass works with."""

from __future__ import annotations

from dataclasses import dataclass

from flows.order import Order
from flows.warehouse.connection import Connection
from flows.work import WorkFolder


@dataclass(frozen=True)
class Planning:
    """A planning pass: the open warehouse, what to do, and the run that plans it."""

    connection: Connection
    order: Order
    work: WorkFolder
    run_id: str

    @property
    def annotation_id(self) -> str:
        """The annotation set to plan for."""
        return self.order.annotation.annotation_id
