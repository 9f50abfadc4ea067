{#- Before fct_mention is added to: delete what is no longer so, of documents that are gone too. -#}
{% macro delete_stale_mentions() -%}
{% if is_incremental() -%}
delete from {{ this }} where document_id in (
  select document_id from (
    select distinct document_id, annotation_id, run_id, linkset_id, is_settled from {{ this }}
  ) as kept
  where not kept.is_settled or not exists (
    select 1
    from {{ ref('stg_charthouse__annotations') }} as now
    left join {{ ref('stg_charthouse__linksets') }} as l on l.position = 1
    where now.document_id = kept.document_id and now.annotation_id = kept.annotation_id
      and now.run_id = kept.run_id and l.linkset_id is not distinct from kept.linkset_id
  )
)
{%- else -%}
select 1
{%- endif %}
{%- endmacro %}
