{#- A mention that a note affirms: assessed, of the patient, and neither negated nor uncertain nor
    hypothetical. Never null. -#}
{% macro affirmed() -%}
(negated is not null
  and not (negated or coalesce(uncertain, false) or coalesce(hypothetical, false))
  and coalesce(experiencer, 'patient') = 'patient')
{%- endmacro %}
