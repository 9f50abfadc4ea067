-- What each run found, by corpus and label, beside what the run before it found. A run that met
-- rejects alone found nothing to compare: it stands here, but nothing is compared with it.
with compared as (
  select
    run_id, scope, corpus, label,
    lag(run_id) over before as previous_run_id,
    mentions_per_1000 / nullif(lag(mentions_per_1000) over before, 0) - 1
      as mentions_per_1000_change,
    mean_score - lag(mean_score) over before as mean_score_change,
    link_share - lag(link_share) over before as link_share_change,
    out_of_vocabulary_share - lag(out_of_vocabulary_share) over before
      as out_of_vocabulary_share_change
  from {{ ref('stg_charthouse__quality') }}
  where documents > 0
  window before as (partition by scope, corpus, label order by run_id)
)
select
  q.*, c.previous_run_id, c.mentions_per_1000_change, c.mean_score_change, c.link_share_change,
  c.out_of_vocabulary_share_change
from {{ ref('stg_charthouse__quality') }} as q
left join compared as c
  on c.run_id = q.run_id and c.scope = q.scope and c.corpus = q.corpus and c.label = q.label
