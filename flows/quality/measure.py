"""Measuring a run: one pass over the current mentions, grouped; the rest is sums of that."""

from __future__ import annotations

from flows.quality.bins import BINS, CHARACTERS, SCORES, bin_number
from flows.quality.drift import write_drift
from flows.quality.schema import QUALITY, QUALITY_BRANCHES, QUALITY_DRIFT, QUALITY_HISTOGRAMS
from flows.quality.settings import QualitySettings
from flows.warehouse.layout import Connection, transaction
from flows.warehouse.runs import now

_DOCUMENTS = f"""
CREATE OR REPLACE TEMP TABLE measured_documents AS
SELECT a.document_id, a.annotation_id, d.corpus, a.run_id = $run_id AS in_run,
  length(d.text) AS characters, {bin_number("length(d.text)", CHARACTERS)} AS bin
FROM document_annotations a JOIN documents d USING (document_id)
WHERE a.is_current AND a.status = 'done' AND NOT d.is_deleted
"""

_SCOPES = "(VALUES ('run'), ('warehouse')) s(scope)"
_IN_SCOPE = "(s.scope = 'warehouse' OR in_run)"

# A concept's branch is its first semantic type; a mention's concept that of its name, unless
# context chose another one.
_MENTIONS = f"""
CREATE OR REPLACE TEMP TABLE measured_mentions AS
WITH first AS (
  SELECT linkset_id, release_id FROM linksets WHERE is_current AND position = 1
), branches AS (
  SELECT concept_id, coalesce(list_min(semantic_types), 'none') AS branch
  FROM concepts SEMI JOIN first USING (release_id)
), names AS (
  SELECT n.lookup_text, n.label, n.status, n.score,
    CASE WHEN n.status = 'linked' THEN coalesce(b.branch, 'none') END AS branch
  FROM name_links n SEMI JOIN first USING (linkset_id) LEFT JOIN branches b USING (concept_id)
  WHERE n.rank = 1
), chosen AS (
  SELECT l.document_id, l.annotation_id, l.mention_id, l.score,
    coalesce(b.branch, 'none') AS branch
  FROM mention_links l SEMI JOIN first USING (linkset_id) LEFT JOIN branches b USING (concept_id)
)
SELECT d.in_run, d.corpus, m.label, {bin_number("m.score", SCORES)} AS score_bin,
  CASE WHEN c.branch IS NOT NULL THEN 'linked' ELSE n.status END AS status,
  coalesce(c.branch, n.branch) AS branch,
  CASE WHEN c.branch IS NOT NULL THEN {bin_number("c.score", SCORES)}
    WHEN n.status = 'linked' THEN {bin_number("n.score", SCORES)} END AS link_bin,
  count(*) AS mentions,
  sum(round(m.score * 1000000)::BIGINT) AS millionths
FROM mentions m JOIN measured_documents d USING (document_id, annotation_id)
LEFT JOIN names n ON n.lookup_text = m.lookup_text AND n.label = m.label
LEFT JOIN chosen c ON c.document_id = m.document_id AND c.annotation_id = m.annotation_id
  AND c.mention_id = m.mention_id
GROUP BY ALL
"""

# A record without a known document has its corpus from the way its file was read.
_REJECTS = """
CREATE OR REPLACE TEMP TABLE measured_rejects AS
SELECT r.run_id = $run_id AS in_run, coalesce(d.corpus,
  nullif(regexp_extract(s.reader, ' corpus=(.*) columns=', 1), ''), '') AS corpus,
  count(*) AS rejects
FROM rejects r LEFT JOIN documents d USING (document_id) LEFT JOIN sources s USING (path)
WHERE r.stage != 'generate' GROUP BY ALL
"""

# A corpus may be made of each file of a folder: then there may be thousands.
_CORPORA = """
CREATE OR REPLACE TEMP TABLE measured_corpora AS
SELECT '*' AS corpus UNION ALL (SELECT corpus FROM (
  SELECT corpus, in_run, count(*) AS n FROM measured_documents GROUP BY ALL
  UNION ALL SELECT corpus, in_run, rejects FROM measured_rejects WHERE corpus != '')
GROUP BY corpus ORDER BY coalesce(sum(n) FILTER (in_run), 0) DESC, sum(n) DESC, corpus
LIMIT $max_corpora)
"""

_QUALITY = f"""
INSERT INTO {QUALITY.name} BY NAME
WITH documents_in AS (
  SELECT s.scope, coalesce(corpus, '*') AS corpus, count(*) AS documents,
    coalesce(sum(characters), 0)::BIGINT AS characters
  FROM measured_documents JOIN {_SCOPES} ON {_IN_SCOPE}
  GROUP BY GROUPING SETS ((s.scope, corpus), (s.scope))
), rejects_in AS (
  SELECT s.scope, coalesce(corpus, '*') AS corpus, sum(rejects)::BIGINT AS rejects
  FROM measured_rejects JOIN {_SCOPES} ON {_IN_SCOPE}
  GROUP BY GROUPING SETS ((s.scope, corpus), (s.scope))
), found AS (
  SELECT s.scope, coalesce(corpus, '*') AS corpus, coalesce(label, '*') AS label,
    sum(mentions)::BIGINT AS mentions, sum(millionths) AS millionths,
    coalesce(sum(mentions) FILTER (status = 'linked'), 0)::BIGINT AS linked,
    coalesce(sum(mentions) FILTER (status IN ('below_threshold', 'ambiguous')), 0)::BIGINT
      AS abstained,
    coalesce(sum(mentions) FILTER (status = 'no_candidate'), 0)::BIGINT AS unknown
  FROM measured_mentions JOIN {_SCOPES} ON {_IN_SCOPE}
  GROUP BY GROUPING SETS ((s.scope, corpus, label), (s.scope, corpus), (s.scope, label), (s.scope))
), keys AS (
  SELECT scope, corpus, '*' AS label FROM documents_in
  UNION SELECT scope, corpus, '*' FROM rejects_in WHERE corpus != ''
  UNION SELECT scope, corpus, label FROM found
), whole AS (
  SELECT k.scope, k.corpus, k.label,
    (SELECT linkset_id FROM linksets WHERE is_current AND position = 1) AS linkset_id,
    coalesce(d.documents, 0) AS documents, coalesce(d.characters, 0) AS characters,
    coalesce(f.mentions, 0) AS mentions, f.millionths,
    coalesce(f.linked, 0) AS linked, coalesce(f.abstained, 0) AS abstained,
    coalesce(f.unknown, 0) AS unknown,
    CASE WHEN k.label = '*' THEN coalesce(r.rejects, 0) ELSE 0 END AS rejects
  FROM keys k LEFT JOIN documents_in d USING (scope, corpus)
  LEFT JOIN rejects_in r USING (scope, corpus) LEFT JOIN found f USING (scope, corpus, label)
)
SELECT $run_id AS run_id, scope, corpus, label, linkset_id, documents, characters, mentions,
  1000 * mentions / nullif(characters, 0) AS mentions_per_1000,
  mentions / nullif(max(mentions) FILTER (label = '*') OVER (PARTITION BY scope, corpus), 0)
    AS label_share,
  millionths / nullif(mentions, 0) / 1000000 AS mean_score,
  linked, CASE WHEN linkset_id IS NOT NULL THEN linked / nullif(mentions, 0) END AS link_share,
  abstained,
  CASE WHEN linkset_id IS NOT NULL THEN abstained / nullif(mentions, 0) END AS abstention_share,
  unknown,
  CASE WHEN linkset_id IS NOT NULL THEN unknown / nullif(mentions, 0) END
    AS out_of_vocabulary_share,
  rejects, CASE WHEN label = '*' THEN rejects / nullif(rejects + documents, 0) END
    AS reject_share, $now AS measured_at
FROM whole SEMI JOIN measured_corpora USING (corpus) WHERE documents > 0 OR rejects > 0
ORDER BY scope, corpus, label
"""

_LOWS = ", ".join(
    f"('{measure}', {number}, {low}::DOUBLE, "
    f"{lows[number + 1] if number + 1 < len(lows) else 'NULL'}::DOUBLE)"
    for measure, lows in BINS.items()
    for number, low in enumerate(lows)
)

_HISTOGRAMS = f"""
INSERT INTO {QUALITY_HISTOGRAMS.name} BY NAME
WITH counted AS (
  SELECT 'score' AS measure, s.scope, corpus, label, score_bin AS bin, sum(mentions) AS n
  FROM measured_mentions JOIN {_SCOPES} ON {_IN_SCOPE}
  GROUP BY GROUPING SETS ((s.scope, corpus, label, score_bin), (s.scope, corpus, score_bin),
    (s.scope, label, score_bin), (s.scope, score_bin))
  UNION ALL SELECT 'link_score', s.scope, corpus, label, link_bin, sum(mentions)
  FROM measured_mentions JOIN {_SCOPES} ON {_IN_SCOPE} WHERE link_bin IS NOT NULL
  GROUP BY GROUPING SETS ((s.scope, corpus, label, link_bin), (s.scope, corpus, link_bin),
    (s.scope, label, link_bin), (s.scope, link_bin))
  UNION ALL SELECT 'document_characters', s.scope, corpus, NULL, bin, count(*)
  FROM measured_documents JOIN {_SCOPES} ON {_IN_SCOPE} WHERE bin IS NOT NULL
  GROUP BY GROUPING SETS ((s.scope, corpus, bin), (s.scope, bin))
)
SELECT $run_id AS run_id, scope, k.corpus, coalesce(label, '*') AS label, measure, bin, low, high,
  n::BIGINT AS "count"
FROM counted c JOIN measured_corpora k ON k.corpus = coalesce(c.corpus, '*')
JOIN (VALUES {_LOWS}) b(measure, bin, low, high) USING (measure, bin) ORDER BY ALL
"""

_BRANCHES = f"""
INSERT INTO {QUALITY_BRANCHES.name} BY NAME
WITH counted AS (
  SELECT s.scope, corpus, label, branch, sum(mentions)::BIGINT AS mentions
  FROM measured_mentions JOIN {_SCOPES} ON {_IN_SCOPE} WHERE branch IS NOT NULL
  GROUP BY GROUPING SETS ((s.scope, corpus, label, branch), (s.scope, corpus, branch),
    (s.scope, label, branch), (s.scope, branch))
)
SELECT $run_id AS run_id, scope, k.corpus, coalesce(label, '*') AS label, branch, mentions
FROM counted c JOIN measured_corpora k ON k.corpus = coalesce(c.corpus, '*') ORDER BY ALL
"""

_MEASURED = (QUALITY, QUALITY_HISTOGRAMS, QUALITY_BRANCHES, QUALITY_DRIFT)


def measure(connection: Connection, run_id: str, settings: QualitySettings) -> bool:
    """Write what a run found, of its own documents and of all that are current after it, and how
    far it is from other runs.

    In one transaction; rows that an interrupted attempt wrote go first. Nothing is written where
    the run has changed nothing that is measured: what was measured last still holds.

    Returns:
        Whether anything was measured.
    """
    with transaction(connection):
        for table in _MEASURED:
            connection.execute(f"DELETE FROM {table.name} WHERE run_id = ?", [run_id])
        if not _has_changed(connection, run_id):
            return False
        connection.execute(_DOCUMENTS, {"run_id": run_id})
        connection.execute(_MENTIONS)
        connection.execute(_REJECTS, {"run_id": run_id})
        connection.execute(_CORPORA, {"max_corpora": settings.max_corpora})
        connection.execute(_QUALITY, {"run_id": run_id, "now": now()})
        connection.execute(_HISTOGRAMS, {"run_id": run_id})
        connection.execute(_BRANCHES, {"run_id": run_id})
        for name in ("documents", "mentions", "rejects", "corpora"):
            connection.execute(f"DROP TABLE measured_{name}")
        write_drift(connection, run_id, settings)
    return True


def _has_changed(connection: Connection, run_id: str) -> bool:
    """Whether the run changed documents, met rejects, or left another linkset current."""
    ((worked, rejects, relinked),) = connection.execute(
        f"""
        SELECT coalesce(new, 0) + coalesce(replaced, 0) + coalesce(deleted, 0)
            + coalesce(pruned, 0) > 0,
          EXISTS (FROM rejects WHERE run_id = $run_id AND stage != 'generate'),
          (SELECT linkset_id FROM {QUALITY.name} ORDER BY run_id DESC, measured_at DESC LIMIT 1)
            IS DISTINCT FROM
            (SELECT linkset_id FROM linksets WHERE is_current AND position = 1)
        FROM runs WHERE run_id = $run_id
        """,
        {"run_id": run_id},
    ).fetchall()
    return bool(worked or rejects or relinked)
