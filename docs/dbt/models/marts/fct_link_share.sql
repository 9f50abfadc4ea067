-- The share of mentions that are linked in the first ontology, by corpus: now and before.
--
-- Before is what the quality table says of all documents after the run before the latest one. Where
-- it says nothing of that (a new corpus, the second run, quality.enabled = false), documents of the
-- corpus's latest run are set against those of its earlier runs, by their links now.
with mentions as (
  select
    d.corpus, m.run_id, count(*) as mentions, count(m.concept_id) as linked
  from {{ ref('fct_mention') }} as m
  join {{ ref('dim_document') }} as d on d.document_id = m.document_id
  group by d.corpus, m.run_id
), by_run as (
  from mentions
  union all
  select '*', run_id, sum(mentions), sum(linked) from mentions group by run_id
), counted as (
  select
    corpus, max(run_id) as run_id, sum(mentions)::bigint as mentions, sum(linked)::bigint as linked
  from by_run
  group by corpus
), latest as (
  select greatest(
    (select max(run_id) from mentions), (select max(run_id) from {{ ref('stg_charthouse__quality') }})
  ) as run_id
), measured as (
  select q.corpus, q.run_id, q.mentions, q.linked
  from {{ ref('stg_charthouse__quality') }} as q
  where q.scope = 'warehouse' and q.label = '*' and q.run_id = (
    select max(e.run_id) from {{ ref('stg_charthouse__quality') }} as e, latest
    where e.scope = 'warehouse' and e.run_id < latest.run_id
  )
), newest as (
  select b.corpus, b.run_id, b.mentions, b.linked
  from by_run as b join counted as c on c.corpus = b.corpus and c.run_id = b.run_id
), older as (
  select
    b.corpus, max(b.run_id) as run_id, sum(b.mentions)::bigint as mentions,
    sum(b.linked)::bigint as linked
  from by_run as b join counted as c on c.corpus = b.corpus and b.run_id < c.run_id
  group by b.corpus
), compared as (
  select
    c.corpus, 'quality' as basis, c.run_id, c.mentions, c.linked, m.run_id as run_id_before,
    m.mentions as mentions_before, m.linked as linked_before
  from counted as c join measured as m on m.corpus = c.corpus
  union all
  select
    n.corpus, 'runs', n.run_id, n.mentions, n.linked, o.run_id, o.mentions, o.linked
  from newest as n left join older as o on o.corpus = n.corpus
  where not exists (select 1 from measured as m where m.corpus = n.corpus)
)
select
  corpus, basis, run_id, mentions, linked, linked / mentions as link_share, run_id_before,
  mentions_before, linked_before,
  linked_before / nullif(mentions_before, 0) as link_share_before,
  linked_before / nullif(mentions_before, 0) - linked / mentions as fall
from compared
