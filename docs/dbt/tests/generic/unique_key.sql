{#- One row a key; nulls are alike, as in GROUP BY. -#}
{% test unique_key(model, columns) %}
select {{ columns | join(', ') }}, count(*) as "rows"
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
