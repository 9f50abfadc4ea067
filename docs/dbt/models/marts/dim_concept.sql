-- One row per concept of the ontologies linked to, with how much of it is mentioned.
with named as (
  select release_id, concept_id, count(*) as documents, sum(mentions)::bigint as mentions
  from {{ ref('fct_document_concept') }}
  group by release_id, concept_id
)
select
  c.release_id, c.concept_id, c.concept_name, c.ontology, c.position, c.is_first_ontology,
  c.semantic_types, c.tree_numbers, c.definition,
  coalesce(n.documents, 0) as documents, coalesce(n.mentions, 0) as mentions
from {{ ref('stg_charthouse__concepts') }} as c
left join named as n on n.release_id = c.release_id and n.concept_id = c.concept_id
