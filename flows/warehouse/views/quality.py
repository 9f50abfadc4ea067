"""What the latest runs found, and how it went from run to run."""

from __future__ import annotations

from flows.warehouse.views.view import View

_COLUMNS = {
    "run_id": "the run",
    "started_at": "when the run began, UTC",
}

QUALITY_LATEST = View(
    "quality_latest",
    "What the latest run found that annotated documents of a corpus, by label; * for all.",
    """
SELECT q.* FROM quality q JOIN runs r ON r.run_id = q.run_id AND r.status = 'done'
WHERE q.scope = 'run' AND q.documents > 0
QUALIFY max(q.run_id) OVER (PARTITION BY q.corpus) = q.run_id
""",
    {"run_id": "the run", "linkset_id": "the linkset of the first ontology"},
)

QUALITY_TREND = View(
    "quality_trend",
    "What each run found in its own documents, in the order of runs, with the change since the "
    "run before.",
    """
SELECT q.corpus, q.label, q.run_id, r.started_at, q.documents, q.mentions, q.mentions_per_1000,
  q.label_share, q.mean_score, q.link_share, q.abstention_share, q.out_of_vocabulary_share,
  q.reject_share,
  lag(q.run_id) OVER w AS previous_run_id,
  q.mentions_per_1000 / nullif(lag(q.mentions_per_1000) OVER w, 0) - 1
    AS mentions_per_1000_change,
  q.mean_score - lag(q.mean_score) OVER w AS mean_score_change,
  q.link_share - lag(q.link_share) OVER w AS link_share_change
FROM quality q JOIN runs r ON r.run_id = q.run_id AND r.status = 'done'
WHERE q.scope = 'run' AND q.documents > 0
WINDOW w AS (PARTITION BY q.corpus, q.label ORDER BY q.run_id)
""",
    {
        **_COLUMNS,
        "previous_run_id": "the run before it that found the label in the corpus",
        "mentions_per_1000_change": "change of mentions_per_1000, as a part of what it was",
        "mean_score_change": "change of mean_score",
        "link_share_change": "change of link_share",
    },
)

QUALITY_VIEWS = (QUALITY_LATEST, QUALITY_TREND)
