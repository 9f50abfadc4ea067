"""Comparisons kept in the warehouse, beside the sets that they compare."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from flows.comparing.rows import rows_of
from flows.comparing.schema import DIFFS
from flows.warehouse.access import Access
from flows.warehouse.connection import open_warehouse, transaction
from flows.warehouse.load import insert
from flows.warehouse.runs import now

if TYPE_CHECKING:
    from flows.diff import Diff, SameSet


def store_diff(warehouse: Path, outcome: Diff | SameSet, access: Access) -> str:
    """Add the numbers of a comparison to the table ``diffs``, in one transaction.

    What is no number, such as how a run ended, is left out.

    Args:
        warehouse: where the comparison was made; opened for writing.
        outcome: what was compared.
        access: how the warehouse is opened.

    Returns:
        The ``diff_id`` of the rows.

    Raises:
        WarehouseError: another process holds it, or it cannot be written to; it is as it was.
    """
    from flows.diff import SameSet

    moment = now()
    diff_id = f"diff-{moment:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    if isinstance(outcome, SameSet):
        sides = (outcome.side, outcome.side)
    else:
        sides = (outcome.before, outcome.after)
    common = {
        "diff_id": diff_id,
        "before_id": sides[0].annotation_id,
        "after_id": sides[1].annotation_id,
        "compared_at": moment,
    }
    frame = pl.DataFrame(
        [
            common
            | {
                "part": part,
                "item": item,
                "measure": measure,
                "value": float(value) if isinstance(value, int | float) else None,
            }
            for part, item, measure, value in rows_of(outcome)
            if not isinstance(value, str)
        ],
        schema=DIFFS.schema,
    )
    with open_warehouse(warehouse, access) as connection, transaction(connection):
        connection.register("rows_of_diff", frame.to_arrow())
        insert(connection, DIFFS, "rows_of_diff")
        connection.unregister("rows_of_diff")
    return diff_id
