{#- The columns have the same rows here and in another relation, as often. -#}
{% test same_rows(model, to, columns) %}
{%- set columns = columns | join(', ') %}
(select 'only here' as place, {{ columns }} from (
  select {{ columns }} from {{ model }} except all select {{ columns }} from {{ to }}))
union all
(select 'only there' as place, {{ columns }} from (
  select {{ columns }} from {{ to }} except all select {{ columns }} from {{ model }}))
{% endtest %}
