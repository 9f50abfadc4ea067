"""Comparisons of annotation sets that were stored."""

from __future__ import annotations

from flows.comparing.schema import DIFFS
from flows.warehouse.views.view import View

DIFFS_LATEST = View(
    "diffs_latest",
    "Of each two annotation sets the numbers that charthouse diff stored last.",
    """
SELECT before_id, after_id, part, item, measure, value, diff_id, compared_at
FROM diffs
QUALIFY dense_rank() OVER (
  PARTITION BY before_id, after_id ORDER BY compared_at DESC, diff_id DESC) = 1
""",
    {column.name: column.meaning for column in DIFFS.columns},
)
