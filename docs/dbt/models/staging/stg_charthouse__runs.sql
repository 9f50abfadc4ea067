-- Runs, with their seconds as columns.
select
  run_id, annotation_id, status, "read", skipped, duplicates, superseded, "new", replaced,
  metadata_updated, deleted, rejected, pruned, forgotten, seconds.plan as plan_seconds,
  seconds.annotate as annotate_seconds, seconds.link as link_seconds,
  seconds.total as total_seconds, started_at, finished_at
from {{ source('charthouse', 'runs') }}
