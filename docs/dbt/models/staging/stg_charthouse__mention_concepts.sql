-- Every current mention in every current linkset: the concept that its name, or the context, has.
select
  m.document_id, m.annotation_id, m.mention_id, m.label, m.is_affirmed, m.historical, m.negated,
  m.run_id, m.is_settled,
  l.linkset_id, l.release_id, l.position,
  case when c.concept_id is not null then 'linked' else n.status end as status,
  coalesce(c.concept_id, n.concept_id) as concept_id,
  coalesce(c.score, n.score) as score,
  coalesce(c.method, n.method) as method
from {{ ref('stg_charthouse__mentions') }} as m
cross join {{ ref('stg_charthouse__linksets') }} as l
left join {{ source('charthouse', 'mention_links') }} as c
  on c.document_id = m.document_id and c.annotation_id = m.annotation_id
  and c.mention_id = m.mention_id and c.linkset_id = l.linkset_id
left join (
  select
    lookup_text, label, linkset_id, status,
    case when status = 'linked' then concept_id end as concept_id,
    case when status = 'linked' then score end as score,
    case when status = 'linked' then method end as method
  from {{ source('charthouse', 'name_links') }}
  where rank = 1
) as n on n.lookup_text = m.lookup_text and n.label = m.label and n.linkset_id = l.linkset_id
