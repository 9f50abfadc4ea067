-- Conditions that notes affirm of a person, with first and last date.
select
  person_id, release_id, linkset_id, is_first_ontology, concept_id, min(label) as label,
  min(document_date) as first_date, max(document_date) as last_date,
  min(document_date) filter (affirmed > 0) as first_affirmed,
  max(document_date) filter (affirmed > 0) as last_affirmed,
  max(document_date) filter (affirmed > historical) as last_current,
  count(*) as documents, count(*) filter (affirmed > 0) as affirming_documents,
  sum(mentions)::bigint as mentions, sum(affirmed)::bigint as affirmed,
  sum(historical)::bigint as historical, sum(negated)::bigint as negated
from {{ ref('fct_document_concept') }}
where person_id is not null
group by person_id, release_id, linkset_id, is_first_ontology, concept_id
having sum(affirmed) > 0
  and lower(min(label)) in (
    {%- for label in var('charthouse_condition_labels') -%}
    '{{ label | lower | replace("'", "''") }}'{{ ', ' if not loop.last }}
    {%- endfor -%}
  )
