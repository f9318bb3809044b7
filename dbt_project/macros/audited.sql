{#
    One row a broken rule with how many rows break it; all rules of a model in one pass.

    In a run, rows that were published before are not audited again; dbt from a shell audits all rows.
    - key: columns that identify a row, none of them null
    - required: further columns that are never null
    - accepted: column -> values
    - expressions: name -> condition that holds for each row
    - references: list of {column, to, field}; each value is found in `to`
#}
{% test audited(model, key, required=[], accepted={}, expressions={}, references=[]) %}
    {{ config(fail_calc="coalesce(sum(failures), 0)") }}
    {%- set since = adapter.audited(model) if execute and model.identifier is defined else -1 -%}
    {%- set rules = {} -%}
    {%- for column in key + required -%}
        {%- do rules.update({column ~ ' is null': 'audited.' ~ column ~ ' is null'}) -%}
    {%- endfor -%}
    {%- for column, values in accepted.items() -%}
        {%- do rules.update({column ~ ' is not accepted': 'audited.' ~ column ~ ' not in (' ~ literals(values) ~ ')'}) -%}
    {%- endfor -%}
    {%- for name, condition in expressions.items() -%}
        {%- do rules.update({name: 'not (' ~ condition ~ ')'}) -%}
    {%- endfor -%}
    {%- for reference in references -%}
        {%- do rules.update({
            reference.column ~ ' is not in ' ~ reference.to:
            'audited.' ~ reference.column ~ ' is not null and parent_' ~ loop.index ~ '._member is null'
        }) -%}
    {%- endfor -%}

    {%- set counted = audit_counts(model, key, rules, references, since) -%}
    {#- the counts are known before Spark has planned the query, but for rows too many for memory -#}
    {%- set counts = pushed_down(counted) -%}
    {%- set names = (rules.keys() | list) + ['key is repeated'] %}

    select rule, failures
    from
        {%- if counts is none %} ({{ counted }}) as counted {%- else %} values (1) as counted (one) {%- endif %}
    lateral view stack(
        {{ names | length }}
        {%- for name in names %},
        '{{ name | replace("'", "") }}', {{ 'rule_' ~ loop.index if counts is none else (counts[0][loop.index0] or 0) | int ~ 'L' }}
        {%- endfor %}
    ) as rule, failures
    where failures > 0
{% endtest %}

{# Values as texts in SQL; a quote or a backslash in one is a character like any other. #}
{% macro literals(values) -%}
    {%- for value in values -%}
        '{{ value | string | replace("\\", "\\\\") | replace("'", "\\'") }}'{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# One row: how many rows break each rule, in order, and how many have a key that another row has. #}
{% macro audit_counts(model, key, rules, references, since) -%}
    select
        {%- for rule in rules %}
        sum(rule_{{ loop.index }}) as rule_{{ loop.index }},
        {%- endfor %}
        sum(case when copies > 1 then copies end) as rule_{{ rules | length + 1 }}
    from (
        select
            count(*) as copies
            {%- for condition in rules.values() %},
            count_if({{ condition }}) as rule_{{ loop.index }}
            {%- endfor %}
        from {{ model }} as audited
        {%- for reference in references %}
        left join (
            select distinct {{ reference.field | default(reference.column) }} as _member from {{ ref(reference.to) }}
        ) as parent_{{ loop.index }}
            on audited.{{ reference.column }} = parent_{{ loop.index }}._member
        {%- endfor %}
        {%- if since >= 0 %}
        where audited._batch > {{ since }}
        {%- endif %}
        group by {% for column in key %}audited.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
    ) as by_key
{%- endmacro %}
