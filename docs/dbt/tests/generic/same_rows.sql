{#- The columns have the same rows here and in another relation, as often: `surplus` says how many
    more there are here. -#}
{% test same_rows(model, to, columns) %}
{%- set columns = columns | join(', ') %}
select {{ columns }}, sum(here) as surplus
from (
  select {{ columns }}, 1 as here from {{ model }}
  union all
  select {{ columns }}, -1 as here from {{ to }}
)
group by {{ columns }}
having sum(here) != 0
{% endtest %}
