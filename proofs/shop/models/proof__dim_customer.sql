-- One row a version of a customer; a deleted one ends.
{{ config(unique_key=['customer_hk', 'valid_from'], scope_key='customer_hk') }}
{% set since = watermark() %}

with touched as (
    select distinct customer_hk
    from {{ source('silver', 'proof__sat_customer') }}
    where {{ newer(since) }}
),

versions as (
    {{ touched_versions(source('silver', 'proof__sat_customer_history'), 'customer_hk') }}
),

alive as (
    select
        *,
        row_number() over (partition by customer_hk order by valid_from) as version
    from versions
)

select
    customer_hk,
    id,
    name,
    tier,
    vip,
    note,
    {{ validity() }}
from alive
where not is_deleted
union all
-- deleted from the start of its history on: nothing may be left
select
    customer_hk,
    cast(null as bigint) as id,
    cast(null as string) as name,
    cast(null as string) as tier,
    cast(null as boolean) as vip,
    cast(null as string) as note,
    cast(null as timestamp) as valid_from,
    cast(null as timestamp) as valid_to,
    cast(null as boolean) as is_current,
    cast(null as bigint) as _batch,
    true as _deleted
from touched
