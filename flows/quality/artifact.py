"""The table of quality that a run leaves in Prefect: numbers and fixed words.

Corpora and labels are numbered, in the order of their names: a corpus may be called after a ward,
or a person. ``charthouse quality`` names them.
"""

from __future__ import annotations

from flows.quality.schema import ALL, QUALITY, QUALITY_DRIFT, RUN
from flows.quality.telling import shown
from flows.warehouse.layout import Connection

Row = dict[str, object]

_SHOWN = (
    "documents",
    "characters",
    "mentions",
    "mentions_per_1000",
    "mean_score",
    "link_share",
    "abstention_share",
    "out_of_vocabulary_share",
    "reject_share",
)


def quality_rows(connection: Connection, run_id: str) -> list[Row]:
    """What a run found in each corpus, and each comparison that has a value.

    Of single labels only what crossed a threshold is shown.
    """
    places = connection.execute(
        f"SELECT DISTINCT corpus, label FROM {QUALITY.name} WHERE run_id = $run_id UNION "
        f"SELECT DISTINCT corpus, label FROM {QUALITY_DRIFT.name} WHERE run_id = $run_id",
        {"run_id": run_id},
    ).fetchall()
    corpora = _numbered({corpus for corpus, _ in places})
    labels = _numbered({label for _, label in places})
    rows: list[Row] = []
    for corpus, *values in connection.execute(
        f"SELECT corpus, {', '.join(_SHOWN)} FROM {QUALITY.name} "
        f"WHERE run_id = ? AND scope = '{RUN}' AND label = '{ALL}' ORDER BY corpus",
        [run_id],
    ).fetchall():
        rows += [
            _row(corpora[corpus], "all", "found", name, value, "")
            for name, value in zip(_SHOWN, values, strict=True)
            if value is not None
        ]
    for corpus, label, against, measure, value, status in connection.execute(
        f"SELECT corpus, label, against, measure, value, status FROM {QUALITY_DRIFT.name} "
        f"WHERE run_id = ? AND value IS NOT NULL AND (label = '{ALL}' OR "
        "status IN ('warning', 'failed')) ORDER BY against, corpus, label, measure",
        [run_id],
    ).fetchall():
        rows.append(_row(corpora[corpus], labels[label], against, measure, value, status))
    return rows


def _row(corpus: str, label: str, group: str, what: str, value: float, status: str) -> Row:
    return {
        "corpus": corpus,
        "label": label,
        "group": group,
        "what": what,
        "value": shown(what, value),
        "status": status,
    }


def _numbered(names: set[str]) -> dict[str, str]:
    named = sorted(names - {ALL})
    return {ALL: "all"} | {name: str(number) for number, name in enumerate(named, start=1)}
