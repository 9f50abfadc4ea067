-- Documents that their source has not withdrawn.
select
  d.document_id, d.corpus, d.native_id, d.kind, d.title, d.text, d.document_date, d.document_type,
  d.person_id, d.encounter_id, d.metadata, d.source_hash, d.metadata_hash, d.source_order,
  a.annotation_id, a.run_id, a.status, coalesce(a.is_settled, false) as is_settled
from {{ source('charthouse', 'documents') }} as d
left join {{ ref('stg_charthouse__annotations') }} as a on a.document_id = d.document_id
where not d.is_deleted
