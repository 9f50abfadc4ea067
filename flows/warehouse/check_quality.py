"""Checks of what was measured of runs."""

from __future__ import annotations

from flows.quality.schema import QUALITY, QUALITY_BRANCHES, QUALITY_DRIFT, QUALITY_HISTOGRAMS
from flows.warehouse.checks import Check

_PLACE = "run_id, scope, corpus, label"

QUALITY_CHECKS = (
    Check(
        "quality_of_runs",
        "what was measured, and what it was compared with, is of runs that are known",
        f"SELECT run_id AS subject FROM (SELECT run_id FROM {QUALITY.name} "
        f"UNION SELECT run_id FROM {QUALITY_HISTOGRAMS.name} "
        f"UNION SELECT run_id FROM {QUALITY_BRANCHES.name} "
        f"UNION SELECT run_id FROM {QUALITY_DRIFT.name} "
        f"UNION SELECT against_run_id FROM {QUALITY_DRIFT.name}) ANTI JOIN runs USING (run_id)",
    ),
    Check(
        "quality_adds_up",
        "bins of scores hold the mentions that were counted, bins of link scores and branches "
        "the linked ones",
        f"WITH bins AS (SELECT {_PLACE}, sum(count) FILTER (measure = 'score') AS mentions, "
        f"sum(count) FILTER (measure = 'link_score') AS linked FROM {QUALITY_HISTOGRAMS.name} "
        f"GROUP BY ALL), branches AS (SELECT {_PLACE}, sum(mentions) AS linked "
        f"FROM {QUALITY_BRANCHES.name} GROUP BY ALL) "
        f"SELECT q.run_id AS subject FROM {QUALITY.name} q LEFT JOIN bins b USING ({_PLACE}) "
        f"LEFT JOIN branches c USING ({_PLACE}) WHERE q.mentions != coalesce(b.mentions, 0) "
        "OR q.linked != coalesce(b.linked, 0) OR q.linked != coalesce(c.linked, 0) "
        "OR q.linked + q.abstained + q.unknown > q.mentions",
    ),
)
