{#- Values from min to max, both allowed; null is no value. -#}
{% test in_range(model, column_name, min, max) %}
select {{ column_name }}
from {{ model }}
where not ({{ column_name }} >= {{ min }} and {{ column_name }} <= {{ max }})
{% endtest %}
