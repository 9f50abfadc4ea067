{#- Mentions are many and change seldom: only documents are written anew whose mentions or links can
    have changed. That is decided by annotation set, run and linkset, which are kept in each row,
    and by whether the run was finished when the row was written: one that was interrupted may
    still link its names. What a document's metadata says is not copied here, since it changes
    without a new annotation: join dim_document. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ charthouse.delete_stale_mentions() }}",
) }}
-- depends_on: {{ ref('stg_charthouse__annotations') }}
-- depends_on: {{ ref('stg_charthouse__linksets') }}
with first_links as (
  select document_id, annotation_id, mention_id, linkset_id, release_id, status, concept_id, score,
    method
  from {{ ref('stg_charthouse__mention_concepts') }}
  where position = 1
), mentions as (
  from {{ ref('stg_charthouse__mentions') }}
  {% if is_incremental() -%}
  where document_id not in (select document_id from {{ this }})
  {%- endif %}
)
select
  m.document_id, m.mention_id, m.annotation_id, m.run_id, m.is_settled, m.start_char, m.end_char,
  {% if var('charthouse_with_text') -%} m.mention_text, m.lookup_text, {%- endif %}
  m.label, m.score, m.model, m.sentence_id, m.section_id, s.name as section, m.negated,
  m.uncertain, m.historical, m.hypothetical, m.experiencer, m.is_affirmed, l.linkset_id,
  l.release_id, l.status as link_status, l.concept_id, l.score as link_score,
  l.method as link_method
from mentions as m
left join {{ ref('stg_charthouse__sections') }} as s
  on s.document_id = m.document_id and s.annotation_id = m.annotation_id
  and s.section_id = m.section_id
left join first_links as l
  on l.document_id = m.document_id and l.annotation_id = m.annotation_id
  and l.mention_id = m.mention_id
