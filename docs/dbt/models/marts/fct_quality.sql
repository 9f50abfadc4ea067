-- What each run found, by corpus and label, beside what the run before it found.
select
  *,
  lag(run_id) over before as previous_run_id,
  mentions_per_1000 - lag(mentions_per_1000) over before as mentions_per_1000_change,
  mean_score - lag(mean_score) over before as mean_score_change,
  link_share - lag(link_share) over before as link_share_change,
  out_of_vocabulary_share - lag(out_of_vocabulary_share) over before
    as out_of_vocabulary_share_change
from {{ ref('stg_charthouse__quality') }}
window before as (partition by scope, corpus, label order by run_id)
