-- One row a version of a product: what the product master had from valid_from until valid_to.
-- A delisted product keeps its last attributes in a version of its own, marked is_delisted.
{{ config(unique_key=['product_hk', 'valid_from'], scope_key='product_hk') }}
{% set since = watermark() %}
{% set attributes = ['department', 'brand', 'product_category', 'product_type', 'package_size'] %}

with touched as (
    select distinct product_hk
    from {{ source('silver', 'retail__sat_product') }}
    where {{ newer(since) }} and product_hk <> {{ unknown_key() }}
),

versions as (
    {{ touched_versions(source('silver', 'retail__sat_product_history'), 'product_hk') }}
),

-- two deletes are never neighbours, so the version before a delete has the last attributes
carried as (
    select
        product_hk,
        product_id,
        case when is_deleted then lag(manufacturer_id) over in_order else manufacturer_id end as manufacturer_id,
        {% for attribute in attributes -%}
        coalesce(case when is_deleted then lag({{ attribute }}) over in_order else {{ attribute }} end, '(unknown)') as {{ attribute }},
        {% endfor -%}
        is_deleted,
        row_number() over in_order as version,
        valid_from,
        valid_to,
        max(_batch) over (partition by product_hk) as _batch
    from versions
    window in_order as (partition by product_hk order by valid_from)
)

select
    product_hk,
    product_id,
    manufacturer_id,
    {% for attribute in attributes -%}
    {{ attribute }},
    {% endfor -%}
    is_deleted as is_delisted,
    {{ validity() }}
from carried
{%- if since < 0 %}
union all
{{ unknown_member('product_hk', ['product_id bigint', 'manufacturer_id bigint'] + attributes + ['is_delisted boolean']) }}
{%- endif %}
