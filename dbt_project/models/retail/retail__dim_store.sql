-- One row is one store; the source says nothing of a store but its number.
{{ config(unique_key='store_hk') }}
{% set since = watermark() %}

select
    store_hk,
    store_id,
    'store ' || store_id as store_name,
    _batch,
    false as _deleted
from {{ source('silver', 'retail__hub_store') }}
where {{ newer(since) }} and store_hk <> {{ unknown_key() }}
{%- if since < 0 %}
union all
select
    {{ unknown_key() }} as store_hk,
    cast(null as bigint) as store_id,
    '(unknown)' as store_name,
    0L as _batch,
    false as _deleted
{%- endif %}
