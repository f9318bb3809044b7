-- One row is one vehicle and planned day (UTC): how punctual it was. Late is more than 15 minutes.
{{ config(unique_key=['vehicle_hk', 'day'], scope_key='vehicle_hk') }}
{% set since = watermark() %}

with touched as (
    {{ touched_members(source('silver', 'fleet__sat_assigned'), 'assigned_hk', ['vehicle_hk'], since) }}
    union
    select vehicle_hk
    from {{ source('silver', 'fleet__lnk_ping') }}
    where {{ newer(since) }}
)

select
    stops.vehicle_hk,
    to_date(stops.planned_at) as day,
    max(stops.vehicle_id) as vehicle_id,
    count(*) as deliveries,
    count(stops.arrived_at) as arrived,
    count_if(stops.delay_s > 900) as late,
    avg(stops.delay_s) as mean_delay_s,
    max(stops._batch) as _batch,
    false as _deleted
from {{ ref('fleet__fct_stop') }} as stops
left semi join touched on stops.vehicle_hk = touched.vehicle_hk
group by stops.vehicle_hk, to_date(stops.planned_at)
{% if since >= 0 %}
union all
-- a vehicle whose deliveries all went leaves no row
select
    vehicle_hk,
    cast(null as date) as day,
    cast(null as bigint) as vehicle_id,
    cast(null as bigint) as deliveries,
    cast(null as bigint) as arrived,
    cast(null as bigint) as late,
    cast(null as double) as mean_delay_s,
    cast(null as bigint) as _batch,
    true as _deleted
from touched
{% endif %}
