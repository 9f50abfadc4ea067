-- The current annotation set of each document that is not withdrawn.
select
  a.document_id, a.annotation_id, a.source_hash, a.run_id, a.status,
  coalesce(r.status = 'done', false) as is_settled
from {{ source('charthouse', 'document_annotations') }} as a
semi join (from {{ source('charthouse', 'documents') }} where not is_deleted) as d
  on d.document_id = a.document_id
left join {{ source('charthouse', 'runs') }} as r on r.run_id = a.run_id
where a.is_current
