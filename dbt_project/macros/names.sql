{# The schema of a model is its layer, whatever the profile says. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}

{# The key of the unknown member, to which facts point where a master row is missing. #}
{% macro unknown_key() -%}
    unhex(repeat('00', 32))
{%- endmacro %}

{# A UTC instant's day in the wall clock of a zone. #}
{% macro local_day(instant, zone) -%}
    to_date(from_utc_timestamp({{ instant }}, '{{ zone }}'))
{%- endmacro %}

{# The UTC instant at which a day begins in a zone. #}
{% macro local_midnight(day, zone) -%}
    to_utc_timestamp(cast({{ day }} as timestamp), '{{ zone }}')
{%- endmacro %}
