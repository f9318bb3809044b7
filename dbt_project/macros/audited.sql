{#
    One row a broken rule with how many rows break it; all rules of a model in one query.

    Rows that were published before are not looked at again: the engine says in
    LAKEHOUSE_GOLD_SINCE up to which batch they were.
    - key: columns that tell rows apart, none of them null
    - required: further columns that are never null
    - accepted: column -> values
    - expressions: name -> condition that holds for each row
    - references: list of {column, to, field}; each value is found in `to`
#}
{% test audited(model, key, required=[], accepted={}, expressions={}, references=[]) %}
    {{ config(fail_calc="coalesce(sum(failures), 0)") }}
    {%- set since = env_var('LAKEHOUSE_GOLD_SINCE', '-1') | int if execute else -1 -%}
    {%- set rules = {} -%}
    {%- for column in key + required -%}
        {%- do rules.update({column ~ ' is null': column ~ ' is null'}) -%}
    {%- endfor -%}
    {%- for column, values in accepted.items() -%}
        {%- do rules.update({column ~ ' is not accepted': column ~ " not in ('" ~ values | join("', '") ~ "')"}) -%}
    {%- endfor -%}
    {%- for name, condition in expressions.items() -%}
        {%- do rules.update({name: 'not (' ~ condition ~ ')'}) -%}
    {%- endfor -%}

    with audited as (
        select * from {{ model }} {% if since >= 0 %} where _batch > {{ since }} {% endif %}
    ),

    counted as (
        select
            {% for condition in rules.values() -%}
            count_if({{ condition }}) as rule_{{ loop.index }}{{ ',' if not loop.last }}
            {% endfor %}
        from audited
    ),

    repeated as (
        select count(*) as copies from audited group by {{ key | join(', ') }} having count(*) > 1
    )

    select rule, failures
    from counted
    lateral view stack(
        {{ rules | length }},
        {% for rule in rules -%}
        '{{ rule | replace("'", "") }}', rule_{{ loop.index }}{{ ',' if not loop.last }}
        {% endfor %}
    ) as rule, failures
    where failures > 0
    union all
    select 'key is repeated' as rule, sum(copies) as failures from repeated having sum(copies) > 0
    {%- for reference in references %}
    union all
    select '{{ reference.column }} is not in {{ reference.to }}' as rule, count(*) as failures
    from audited
    left anti join {{ ref(reference.to) }} as parent on audited.{{ reference.column }} = parent.{{ reference.field | default(reference.column) }}
    where audited.{{ reference.column }} is not null
    having count(*) > 0
    {%- endfor %}
{% endtest %}
