-- Concepts of the releases that current linksets link to.
select
  c.release_id, l.ontology, l.position, l.position = 1 as is_first_ontology, c.concept_id,
  c.concept_name, c.semantic_types, c.tree_numbers, c.definition
from {{ source('charthouse', 'concepts') }} as c
join (
  select release_id, min(position) as position, any_value(ontology) as ontology
  from {{ ref('stg_charthouse__linksets') }}
  group by release_id
) as l on l.release_id = c.release_id
