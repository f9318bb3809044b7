{#
    The versions of touched keys from a satellite's history. A change of the same instant replaces
    the one before it: nobody could have seen that.
#}
{% macro touched_versions(history, key) -%}
    select history.*
    from {{ history }} as history
    left semi join touched on history.{{ key }} = touched.{{ key }}
    where history.valid_to is null or history.valid_to > history.valid_from
{%- endmacro %}

{#
    The last columns of a type 2 dimension: when a version holds, and from which batch it comes.
    The first version of a key holds from the beginning of time, so no earlier fact is without one.
#}
{% macro validity() -%}
    case when version = 1 then timestamp '1900-01-01' else valid_from end as valid_from,
    valid_to,
    valid_to is null as is_current,
    _batch,
    false as _deleted
{%- endmacro %}

{# The row to which facts point where a master row is missing; `columns`: name and type, string if none. #}
{% macro unknown_member(key, columns) -%}
    select
        {{ unknown_key() }} as {{ key }},
        {% for declared in columns -%}
        {%- set column, _, type = declared.partition(' ') -%}
        {%- if not type -%} '(unknown)'
        {%- elif type == 'boolean' -%} false
        {%- else -%} cast(null as {{ type }})
        {%- endif %} as {{ column }},
        {% endfor -%}
        timestamp '1900-01-01' as valid_from,
        cast(null as timestamp) as valid_to,
        true as is_current,
        0L as _batch,
        false as _deleted
{%- endmacro %}

{# The versions of a type 2 dimension that hold today: one row a key. #}
{% macro current_members(dimension) -%}
    select * from {{ dimension }} where is_current
{%- endmacro %}
