-- How often each concept is named a year, and in what share of the year's documents.
with documents as (
  select corpus, kind, year, count(*) as documents
  from {{ ref('dim_document') }}
  group by corpus, kind, year
)
select
  c.release_id, c.linkset_id, c.is_first_ontology, c.concept_id, c.corpus, c.kind,
  year(c.document_date)::integer as year, count(*) as documents,
  count(*) / any_value(d.documents) as document_share, sum(c.mentions)::bigint as mentions,
  sum(c.affirmed)::bigint as affirmed, sum(c.historical)::bigint as historical,
  sum(c.negated)::bigint as negated, count(distinct c.person_id) as persons
from {{ ref('fct_document_concept') }} as c
join documents as d
  on d.corpus = c.corpus and d.kind = c.kind
  and d.year is not distinct from year(c.document_date)
group by all
