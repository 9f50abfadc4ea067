-- Quantities of current annotation sets.
select
  q.document_id, q.annotation_id, q.quantity_id, q.start_char, q.end_char, q.kind, q.mention_id,
  q.comparator, q.value, q.high, q.unit, q.base_value, q.base_high, q.base_unit, q.date, q.name
from {{ source('charthouse', 'quantities') }} as q
semi join {{ ref('stg_charthouse__annotations') }} as a
  on a.document_id = q.document_id and a.annotation_id = q.annotation_id
