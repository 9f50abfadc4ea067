-- What the warehouse has counted for its own views is what stands in its tables. They are counted
-- at the end of a run; where that is turned off (derived.enabled) since a run that annotated
-- documents, nothing is compared.
with made as (
  select run_id from {{ source('charthouse', 'derivations') }}
), latest as (
  select max(run_id) as run_id from {{ ref('stg_charthouse__annotations') }}
), here as (
  select document_id, concept_id, linkset_id, mentions from {{ ref('fct_document_concept') }}
), there as (
  select document_id, concept_id, linkset_id, mentions
  from {{ source('charthouse', 'document_concepts') }}
), differing as (
  (select * from here except all select * from there)
  union all
  (select * from there except all select * from here)
)
select * from differing
where exists (select 1 from made, latest where made.run_id >= latest.run_id)
