-- The linksets of the latest run, each with its ontology.
select
  l.linkset_id, l.release_id, o.name as ontology, l.position, l.position = 1 as is_first_ontology,
  o.attribution, l.created_at
from {{ source('charthouse', 'linksets') }} as l
left join {{ source('charthouse', 'ontology_releases') }} as o on o.release_id = l.release_id
where l.is_current
