-- The concepts that each document names, in every ontology linked to.
select
  m.document_id, m.release_id, m.linkset_id, m.position, m.position = 1 as is_first_ontology,
  m.concept_id, min(m.label) as label, any_value(d.corpus) as corpus, any_value(d.kind) as kind,
  any_value(d.document_type) as document_type, any_value(d.document_date) as document_date,
  any_value(d.person_id) as person_id, count(*) as mentions,
  count(*) filter (m.is_affirmed) as affirmed,
  count(*) filter (m.is_affirmed and m.historical) as historical,
  count(*) filter (coalesce(m.negated, false)) as negated
from {{ ref('stg_charthouse__mention_concepts') }} as m
join {{ ref('stg_charthouse__documents') }} as d on d.document_id = m.document_id
where m.concept_id is not null
group by m.document_id, m.release_id, m.linkset_id, m.position, m.concept_id
