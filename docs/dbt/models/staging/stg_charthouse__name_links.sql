-- Candidates of names in current linksets, best first.
select
  n.lookup_text, n.label, n.linkset_id, l.release_id, l.position, n.rank, n.status, n.concept_id,
  n.score, n.method, n.matched_name
from {{ source('charthouse', 'name_links') }} as n
join {{ ref('stg_charthouse__linksets') }} as l on l.linkset_id = n.linkset_id
