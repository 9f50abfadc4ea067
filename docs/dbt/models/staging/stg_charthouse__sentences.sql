-- Sentences of current annotation sets.
select s.document_id, s.annotation_id, s.sentence_id, s.start_char, s.end_char
from {{ source('charthouse', 'sentences') }} as s
semi join {{ ref('stg_charthouse__annotations') }} as a
  on a.document_id = s.document_id and a.annotation_id = s.annotation_id
