-- Sections of current annotation sets.
select
  s.document_id, s.annotation_id, s.section_id, s.name, s.start_char, s.end_char,
  s.heading_end_char, s.loinc_code
from {{ source('charthouse', 'sections') }} as s
semi join {{ ref('stg_charthouse__annotations') }} as a
  on a.document_id = s.document_id and a.annotation_id = s.annotation_id
