-- Mentions of current annotation sets.
select
  m.document_id, m.annotation_id, m.mention_id, m.start_char, m.end_char, m.mention_text,
  m.lookup_text, m.label, m.score, m.model, m.sentence_id, m.section_id, m.negated, m.uncertain,
  m.historical, m.hypothetical, m.experiencer, {{ affirmed() }} as is_affirmed, a.run_id,
  a.is_settled
from {{ source('charthouse', 'mentions') }} as m
join {{ ref('stg_charthouse__annotations') }} as a
  on a.document_id = m.document_id and a.annotation_id = m.annotation_id
