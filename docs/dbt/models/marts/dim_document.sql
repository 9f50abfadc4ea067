-- One row per document that is not withdrawn. No text.
with mentions as (
  select document_id, count(*) as mentions, count(*) filter (is_affirmed) as affirmed
  from {{ ref('stg_charthouse__mentions') }}
  group by document_id
), linked as (
  select document_id, count(concept_id) as linked
  from {{ ref('stg_charthouse__mention_concepts') }}
  where position = 1
  group by document_id
), sentences as (
  select document_id, count(*) as sentences
  from {{ ref('stg_charthouse__sentences') }}
  group by document_id
), sections as (
  select document_id, count(*) as sections
  from {{ ref('stg_charthouse__sections') }}
  group by document_id
)
select
  d.document_id, d.corpus, d.native_id, d.kind, d.document_type, d.document_date,
  year(d.document_date)::integer as year, d.person_id, d.encounter_id, d.annotation_id, d.run_id,
  d.status, length(d.text) as characters,
  coalesce(sentences.sentences, 0) as sentences, coalesce(sections.sections, 0) as sections,
  coalesce(mentions.mentions, 0) as mentions, coalesce(mentions.affirmed, 0) as affirmed,
  coalesce(linked.linked, 0) as linked
from {{ ref('stg_charthouse__documents') }} as d
left join mentions on mentions.document_id = d.document_id
left join linked on linked.document_id = d.document_id
left join sentences on sentences.document_id = d.document_id
left join sections on sections.document_id = d.document_id
