{#
    The silver batch up to which the table was brought, -1 where it is derived from all there is: the
    publication has it, so a killed run, a restore or a rollback moves it too.
    While dbt parses it is 0: the variant that brings a table up to date is the one that reads most,
    and what it reads is what dbt knows of a model's parents.
#}
{% macro watermark() %}
    {% if not execute %}
        {{ return(0) }}
    {% elif not is_incremental() %}
        {{ return(-1) }}
    {% endif %}
    {{ return(adapter.watermark(this)) }}
{% endmacro %}

{#
    The rows of a small query of tables - counts, least and greatest values - as lists of values,
    without a Spark job; none where it takes Spark to run it, and while dbt parses.
#}
{% macro pushed_down(query) %}
    {{ return(adapter.push_down(query) if execute else none) }}
{% endmacro %}

{# The values of the only row of a query; as many nulls as `width` while dbt parses. #}
{% macro single_row(query, width) %}
    {% set rows = pushed_down(query) %}
    {% if rows is none and execute %}
        {% set rows = [run_query(query).rows[0].values() | list] %}
    {% endif %}
    {{ return(rows[0] if rows else [none] * width) }}
{% endmacro %}

{#
    The last day and the greatest batch of a table, as two literals. While dbt parses, and for a
    table without rows, the day is null.
#}
{% macro bounds_of(relation, day) %}
    {% set row = single_row("select cast(max(" ~ day ~ ") as string) as day, max(_batch) as batch from " ~ relation, 2) %}
    {{ return((
        "cast('" ~ row[0] ~ "' as date)" if row[0] is not none else 'cast(null as date)',
        row[1] | int ~ 'L' if row[1] is not none else 'cast(null as bigint)',
    )) }}
{% endmacro %}

{#
    Runs a query one time and returns a relation with its rows in memory, wherever the model reads it:
    a query that is read in many places is else planned and run in each of them. Of what is joined
    with a relation without rows Spark reads nothing.
    For what a batch touched, and what is counted and summed of it, which is small; `name` is the
    model's own. Stored values, counts, sums and extremes under joins and conditions are read
    without a Spark job (see gold/dbt/pushdown.py), so large tables are best read here.
    Without a watermark all is read, and the query stands where the relation would.
#}
{% macro cached(name, query, since=0) -%}
    {%- if execute and since >= 0 and adapter.is_embedded() -%}
        {{ return(adapter.cache_query(this.identifier ~ '__' ~ name, query)) }}
    {%- endif -%}
    {{ return('(' ~ query ~ ')') }}
{%- endmacro %}

{#
    How many values of a column differ, for a sum up of many rows in many groups: where several are
    counted Spark would shuffle each row once a column, but sets are gathered in one go.
#}
{% macro distinct_values(column, since) -%}
    {%- if since >= 0 -%} count(distinct {{ column }})
    {%- else -%} cast(size(collect_set({{ column }})) as bigint)
    {%- endif -%}
{%- endmacro %}

{#
    The least and the greatest value of a column of a relation, as two literals: with them a reader
    skips the partitions and files that hold none between. Null while dbt parses, and of no rows.
#}
{% macro range_of(relation, column, type) %}
    {% set bounds = single_row("select cast(min(" ~ column ~ ") as string) as low, cast(max(" ~ column ~ ") as string) as high from " ~ relation, 2) %}
    {% set literals = [] %}
    {% for value in bounds %}
        {% do literals.append("cast('" ~ value ~ "' as " ~ type ~ ")" if value is not none else "cast(null as " ~ type ~ ")") %}
    {% endfor %}
    {{ return(literals) }}
{% endmacro %}

{# The condition that keeps the events newer than the watermark; a literal, so files are skipped. #}
{% macro newer(since) -%}
    {%- if since >= 0 -%} _batch > {{ since }} {%- else -%} true {%- endif -%}
{%- endmacro %}

{#
    All events of the keys that have at least one event newer than the watermark: what has to be
    derived again, whatever order the events came in. Without a watermark, all events.
    `within` is a column of the key, and its type: keys of a batch often lie close together in it,
    and then most files are not read.
#}
{% macro touched_events(relation, key, since, within=none) -%}
    {%- if within and since >= 0 -%}
        {%- set column, _, type = within.partition(' ') -%}
        {%- set low, high = range_of('(select ' ~ column ~ ' from ' ~ relation ~ ' where ' ~ newer(since) ~ ')', column, type) -%}
    {%- endif -%}
    select events.*
    from {{ relation }} as events
    {%- if since >= 0 %}
    left semi join (select {{ key }} from {{ relation }} where _batch > {{ since }}) as newer
        on events.{{ key }} = newer.{{ key }}
    {%- if within %}
    where events.{{ column }} between {{ low }} and {{ high }}
    {%- endif %}
    {%- endif %}
{%- endmacro %}

{#
    The distinct values of `columns` in all events of the touched keys: also those of versions
    that are no longer in force, so that what they once counted for is derived again. A delete
    that carries its key only says nothing of its members: they stand in the events before it.
#}
{% macro touched_members(relation, key, columns, since) -%}
    select distinct {{ columns | join(', ') }}
    from ({{ touched_events(relation, key, since) }})
    where
        {% for column in columns -%}
        {{ 'and ' if not loop.first }}{{ column }} {{ '<> ' ~ unknown_key() if column.endswith('_hk') else 'is not null' }}
        {% endfor %}
{%- endmacro %}

{# The latest event of each key of a small satellite, deleted keys left out, with `_batch`. #}
{% macro current_links(relation, key, columns) -%}
    select
        {% for column in columns -%}
        latest.{{ column }},
        {% endfor -%}
        _batch
    from (
        select
            max_by(struct({{ columns | join(', ') }}, _op), _sequence) as latest,
            max(_batch) as _batch
        from {{ relation }}
        group by {{ key }}
    )
    where latest._op <> 'd'
{%- endmacro %}
