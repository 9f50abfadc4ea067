{#- The share of linked mentions has not fallen by more than max_fall, wherever there are
    min_mentions at least on either side. For a model with the columns of fct_link_share. -#}
{% test link_share_not_fallen(model, max_fall, min_mentions) %}
select corpus, link_share_before, link_share, fall
from {{ model }}
where fall > {{ max_fall }}
  and least(mentions, mentions_before) >= {{ min_mentions }}
{% endtest %}
