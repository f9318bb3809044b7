{#
    Builds a Delta table from a model, or brings it up to date in one commit.

    The model yields, for each touched key, the rows as they should be, with `_deleted` true where
    nothing should be left. Rows that are right already are not written, so the same input twice
    changes nothing. Config:
    - unique_key: columns that identify a row; a partition column first, if there is one
    - scope_key: derive all rows of this key together; stored rows of a touched scope that are not
      derived any more are deleted
    - partition_by: one column; the merge reads touched partitions only
#}
{% materialization incremental, adapter='lakehouse' %}
    {%- do adapter.lock(this) -%}
    {%- set existing = load_relation(this) -%}
    {{ run_hooks(pre_hooks) }}
    {%- if existing is none or existing.is_view or should_full_refresh() or adapter.is_rebuilt(this) -%}
        {%- do create_from(compiled_code, 'not _deleted') -%}
    {%- else -%}
        {%- do bring_up_to_date(compiled_code) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}

{# Rebuilds a small Delta table, each time; in one commit, and none where its rows are the same already. #}
{% materialization table, adapter='lakehouse' %}
    {%- do adapter.lock(this) -%}
    {%- set existing = load_relation(this) -%}
    {{ run_hooks(pre_hooks) }}
    {%- if existing is none or existing.is_view or should_full_refresh() or adapter.is_rebuilt(this) or not adapter.is_embedded() -%}
        {%- do create_from(compiled_code) -%}
    {%- else -%}
        {%- do replace_with(compiled_code) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}

{# Creates or replaces the table with what a query yields, in the order of the model's columns. #}
{% macro create_from(query, condition=none) %}
    {%- set derived = this.identifier ~ '__derived' -%}
    {%- do run_query('create or replace temporary view ' ~ derived ~ ' as ' ~ query) -%}
    {%- do assert_contract(derived, condition is not none) -%}
    {%- set existing = load_relation(this) -%}
    {%- if existing is not none and existing.is_view -%}
        {%- do run_query('drop view ' ~ this) -%}
    {%- endif -%}
    {%- call statement('main') -%}
        create or replace table {{ this }}
        using delta
        {{ tblproperties_clause() }}
        {{ partition_cols(label='partitioned by') }}
        {{ location_clause() }}
        as select {{ model.columns.keys() | join(', ') }} from {{ derived }}
        {%- if condition %} where {{ condition }} {%- endif %}
    {%- endcall -%}
    {%- do run_query('drop view ' ~ derived) -%}
{% endmacro %}

{# Merges what a query yields; the query runs once, and no commit is made where it changes nothing. #}
{% macro bring_up_to_date(query) %}
    {%- if adapter.is_embedded() -%}
        {%- set derived = adapter.derive(query) -%}
        {%- do assert_columns(derived['columns'], true) -%}
        {%- set key = config.require('unique_key') -%}
        {%- set key = [key] if key is string else key -%}
        {%- set columns = model.columns.keys() | list -%}
        {%- set changed = adapter.merge_small(this, derived, columns, key, config.get('scope_key'), config.get('partition_by')) -%}
        {%- if changed is none -%}
            {%- do merge_many('select * from parquet.`' ~ derived['folder'] ~ '`') -%}
        {%- else -%}
            {%- do changed_rows(changed) -%}
        {%- endif -%}
        {%- do adapter.discard(derived) -%}
    {%- else -%}
        {%- do merge_many(query) -%}
    {%- endif -%}
{% endmacro %}

{# Replaces what a table holds with what a query yields. #}
{% macro replace_with(query) %}
    {%- set derived = adapter.derive(query) -%}
    {%- do assert_columns(derived['columns'], false) -%}
    {%- set changed = adapter.replace_small(this, derived, model.columns.keys() | list) -%}
    {%- if changed is none -%}
        {%- do create_from('select * from parquet.`' ~ derived['folder'] ~ '`') -%}
    {%- else -%}
        {%- do changed_rows(changed) -%}
    {%- endif -%}
    {%- do adapter.discard(derived) -%}
{% endmacro %}

{# Reports to dbt how many rows of a table changed. #}
{% macro changed_rows(changed) %}
    {%- do store_raw_result(name='main', message='OK' if changed else 'nothing new', code='OK', rows_affected=changed) -%}
{% endmacro %}

{# Merges by Spark. #}
{% macro merge_many(query) %}
    {%- set derived = this.identifier ~ '__derived' -%}
    {%- set partition = config.get('partition_by') -%}
    {%- set listed = "array_join(collect_set('date\\'' || " ~ partition ~ " || '\\''), ', ')" if partition else "'-'" -%}
    {%- do run_query('cache table ' ~ derived ~ ' as ' ~ query) -%}
    {%- do assert_contract(derived, true) -%}
    {%- set size = run_query('select count(*) as size, ' ~ listed ~ ' as parts from ' ~ derived) -%}
    {%- if size.columns[0].values()[0] -%}
        {%- call statement('main') -%}
            {{ merge_derived(this, derived, model.columns.keys() | list, size.columns[1].values()[0] if partition) }}
        {%- endcall -%}
    {%- else -%}
        {%- do changed_rows(0) -%}
    {%- endif -%}
    {%- do run_query('uncache table ' ~ derived) -%}
    {%- do run_query('drop view if exists ' ~ derived) -%}
{% endmacro %}

{# The MERGE of derived rows into a table. #}
{% macro merge_derived(target, derived, columns, partitions) %}
    {%- set key = config.require('unique_key') -%}
    {%- set key = [key] if key is string else key -%}
    {%- set scope = config.get('scope_key') -%}
    merge into {{ target }} as stored
    using (
        select {{ columns | join(', ') }}, _deleted from {{ derived }}
        {%- if scope %}
        where not _deleted
        union all
        select
            {% for column in columns -%}
                stale.{{ column }},
            {% endfor -%}
            true as _deleted
        from {{ target }} as stale
        left semi join {{ derived }} as scope on stale.{{ scope }} = scope.{{ scope }}
        left anti join (select * from {{ derived }} where not _deleted) as kept
            on {% for column in key %}{{ 'and ' if not loop.first }}stale.{{ column }} = kept.{{ column }} {% endfor %}
        {%- endif %}
    ) as derived
    on
        {%- if partitions %} stored.{{ config.get('partition_by') }} in ({{ partitions }}) and {% endif -%}
        {% for column in key %}{{ 'and ' if not loop.first }} stored.{{ column }} = derived.{{ column }} {% endfor %}
    when matched and derived._deleted then delete
    when matched and not (
        {%- for column in columns if column not in key and column != '_batch' %}
        {{ 'and ' if not loop.first }}stored.{{ column }} <=> derived.{{ column }}
        {%- else %}true
        {%- endfor %}
    ) then update set {% for column in columns %}{{ column }} = derived.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
    when not matched and not derived._deleted then insert ({{ columns | join(', ') }})
    values ({% for column in columns %}derived.{{ column }}{{ ', ' if not loop.last }}{% endfor %})
{% endmacro %}

{# Analyses what a relation yields, runs nothing, and stops a model that breaks its contract. #}
{% macro assert_contract(relation, incremental) %}
    {%- set columns = {} -%}
    {%- for column in adapter.get_column_schema_from_query('select * from ' ~ relation) -%}
        {%- do columns.update({column.name: column.dtype | lower}) -%}
    {%- endfor -%}
    {%- do assert_columns(columns, incremental) -%}
{% endmacro %}

{# Stops a model whose columns or types, by name, are not those of its YAML. #}
{% macro assert_columns(columns, incremental) %}
    {%- set wrong = [] -%}
    {%- if incremental and '_deleted' not in columns -%}
        {%- do wrong.append('_deleted is missing: a model marks with it the rows to delete') -%}
    {%- endif -%}
    {%- for name, column in model.columns.items() -%}
        {%- if name not in columns -%}
            {%- do wrong.append(name ~ ' is missing, but stands in the contract') -%}
        {%- elif columns[name] != column.data_type | lower -%}
            {%- do wrong.append(name ~ ' is ' ~ columns[name] ~ ', in the contract ' ~ column.data_type) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in columns if name not in model.columns and name != '_deleted' -%}
        {%- do wrong.append(name ~ ' is not in the contract') -%}
    {%- endfor -%}
    {%- if wrong -%}
        {%- do exceptions.raise_compiler_error('the columns differ from the contract of ' ~ model.name ~ ': ' ~ wrong | join('; ')) -%}
    {%- endif -%}
{% endmacro %}

{# A table lies where its name says. #}
{% macro lakehouse__location_clause() -%}
    location '{{ adapter.folder(this) }}'
{%- endmacro %}
