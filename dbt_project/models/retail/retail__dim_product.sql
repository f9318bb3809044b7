-- One row a version of a product: what the product master said from valid_from until valid_to.
-- A delisted product keeps its last attributes in a version of its own, marked is_delisted.
{{ config(unique_key=['product_hk', 'valid_from'], scope_key='product_hk') }}
{% set since = watermark() %}
{% set attributes = ['department', 'brand', 'product_category', 'product_type', 'package_size'] %}

with touched as (
    select distinct product_hk
    from {{ source('silver', 'retail__sat_product') }}
    where {{ newer(since) }} and product_hk <> {{ unknown_key() }}
),

-- a change of the same instant replaces the one before it: nobody could have seen that
versions as (
    select history.*
    from {{ source('silver', 'retail__sat_product_history') }} as history
    left semi join touched on history.product_hk = touched.product_hk
    where history.valid_to is null or history.valid_to > history.valid_from
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
    case when version = 1 then timestamp '1900-01-01' else valid_from end as valid_from,
    valid_to,
    valid_to is null as is_current,
    _batch,
    false as _deleted
from carried
{%- if since < 0 %}
union all
select
    {{ unknown_key() }} as product_hk,
    cast(null as bigint) as product_id,
    cast(null as bigint) as manufacturer_id,
    {% for attribute in attributes -%}
    '(unknown)' as {{ attribute }},
    {% endfor -%}
    false as is_delisted,
    timestamp '1900-01-01' as valid_from,
    cast(null as timestamp) as valid_to,
    true as is_current,
    0L as _batch,
    false as _deleted
{%- endif %}
