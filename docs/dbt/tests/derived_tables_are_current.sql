-- What the warehouse has counted for its own views is what stands in its tables. They are counted
-- at the end of a run; where that is turned off (derived.enabled) since a run that annotated
-- documents, nothing is compared.
with made as (
  select run_id from {{ source('charthouse', 'derivations') }}
), latest as (
  select max(run_id) as run_id from {{ ref('stg_charthouse__annotations') }}
), counted as (
  select document_id, concept_id, linkset_id, mentions, 1 as here
  from {{ ref('fct_document_concept') }}
  union all
  select document_id, concept_id, linkset_id, mentions, -1 as here
  from {{ source('charthouse', 'document_concepts') }}
)
select document_id, concept_id, linkset_id, mentions, sum(here) as surplus
from counted
where exists (select 1 from made, latest where made.run_id >= latest.run_id)
group by document_id, concept_id, linkset_id, mentions
having sum(here) != 0
