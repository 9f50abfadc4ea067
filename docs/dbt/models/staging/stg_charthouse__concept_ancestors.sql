-- The hierarchy of the releases that current linksets link to.
select t.release_id, t.concept_id, t.ancestor_id, t.distance
from {{ source('charthouse', 'concept_ancestors') }} as t
semi join {{ ref('stg_charthouse__linksets') }} as l on l.release_id = t.release_id
