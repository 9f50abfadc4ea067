-- Every document that is not withdrawn has exactly one current annotation set; the ledger knows no
-- document that is not there; a finished run has loaded as many documents as it planned.
with live as (
  select document_id from {{ source('charthouse', 'documents') }} where not is_deleted
), current_sets as (
  select document_id, count(*) filter (is_current) as sets
  from {{ source('charthouse', 'document_annotations') }}
  group by document_id
), loaded as (
  select run_id, sum(documents) filter (status = 'loaded') as documents,
    count(*) filter (status = 'planned') as waiting
  from {{ source('charthouse', 'shards') }}
  group by run_id
)
select 'not in the ledger' as problem, document_id as subject
from live anti join current_sets using (document_id)
union all
select 'not one current set', document_id from current_sets where sets != 1
union all
select 'not a document', document_id from current_sets anti join live using (document_id)
union all
select 'not loaded', r.run_id
from {{ source('charthouse', 'runs') }} as r left join loaded as s on s.run_id = r.run_id
where r.status = 'done' and (
  coalesce(s.waiting, 0) > 0
  or coalesce(s.documents, 0) != coalesce(r.new, 0) + coalesce(r.replaced, 0)
)
