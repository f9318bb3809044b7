-- One row is one version of a vehicle, from valid_from until valid_to.
{{ config(unique_key=['vehicle_hk', 'valid_from'], scope_key='vehicle_hk') }}
{% set since = watermark() %}

with touched as (
    select distinct vehicle_hk
    from {{ source('silver', 'fleet__sat_vehicle') }}
    where {{ newer(since) }}
),

versions as (
    {{ touched_versions(source('silver', 'fleet__sat_vehicle_history'), 'vehicle_hk') }}
),

numbered as (
    select
        *,
        row_number() over (partition by vehicle_hk order by valid_from) as version
    from versions
)

select
    vehicle_hk,
    vehicle_id,
    depot,
    {{ validity() }}
from numbered
where not is_deleted
union all
-- a vehicle that was deleted from its first version on leaves nothing
select
    vehicle_hk,
    cast(null as bigint) as vehicle_id,
    cast(null as string) as depot,
    cast(null as timestamp) as valid_from,
    cast(null as timestamp) as valid_to,
    cast(null as boolean) as is_current,
    cast(null as bigint) as _batch,
    true as _deleted
from touched
