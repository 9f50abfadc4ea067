{#- Within each group ranks are 1, 2 ... without a gap, and all rows have one value of `alike`. -#}
{% test ranked_from_one(model, column_name, by, alike) %}
select {{ by | join(', ') }}
from {{ model }}
group by {{ by | join(', ') }}
having min({{ column_name }}) != 1
  or max({{ column_name }}) != count(*)
  or count(distinct {{ column_name }}) != count(*)
  or count(distinct {{ alike }}) != 1
{% endtest %}
