{#- Every combination of the columns, null in none of them, is in another relation. -#}
{% test relates(model, columns, to) %}
select distinct {{ columns | join(', ') }}
from (select * from {{ model }}) as of_model
where {% for column in columns %}{{ column }} is not null{{ ' and ' if not loop.last }}{% endfor %}
  and not exists (
    select 1 from {{ to }} as of_other
    where {% for column in columns -%}
      of_other.{{ column }} = of_model.{{ column }}{{ ' and ' if not loop.last }}
    {%- endfor %}
  )
{% endtest %}
