-- One row per run: what became of its records, and how fast.
with rejects as (
  select run_id, count(*) as rejects from {{ ref('stg_charthouse__rejects') }} group by run_id
)
select
  r.run_id, r.annotation_id, r.status, r."read", r.skipped, r.duplicates, r.superseded, r."new",
  r.replaced, r.metadata_updated, r.deleted, r.rejected, r.pruned, r.forgotten,
  coalesce(j.rejects, 0) as rejects, r.plan_seconds, r.annotate_seconds, r.link_seconds,
  r.total_seconds,
  (coalesce(r."new", 0) + coalesce(r.replaced, 0)) / nullif(r.annotate_seconds, 0)
    as documents_per_second,
  r.started_at, r.finished_at
from {{ ref('stg_charthouse__runs') }} as r
left join rejects as j on j.run_id = r.run_id
