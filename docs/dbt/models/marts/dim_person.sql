-- One row per person that documents are about.
with conditions as (
  select person_id, count(distinct concept_id) as conditions
  from {{ ref('fct_person_condition') }}
  where is_first_ontology
  group by person_id
)
select
  d.person_id, count(*) as documents, count(distinct d.encounter_id) as encounters,
  min(d.document_date) as first_date, max(d.document_date) as last_date,
  sum(d.mentions)::bigint as mentions, sum(d.affirmed)::bigint as affirmed,
  coalesce(any_value(c.conditions), 0) as conditions
from {{ ref('dim_document') }} as d
left join conditions as c on c.person_id = d.person_id
where d.person_id is not null
group by d.person_id
