-- What each run found, by corpus and label.
select
  run_id, scope, corpus, label, linkset_id, documents, characters, mentions, mentions_per_1000,
  label_share, mean_score, linked, link_share, abstained, abstention_share, unknown,
  out_of_vocabulary_share, rejects, reject_share, measured_at
from {{ source('charthouse', 'quality') }}
