-- One row is one delivery as it is planned now, with its arrival: the first second in which its
-- vehicle stood within 50 m of the stop, from an hour before the planned time to four after it.
{{ config(unique_key='assigned_hk') }}
{% set since = watermark() %}

with schedule as (
    select
        assigned_hk,
        max_by(
            struct(vehicle_hk, delivery_id, vehicle_id, latitude, longitude, planned_at, _op), _sequence
        ) as planned,
        max(_batch) as _batch
    from {{ source('silver', 'fleet__sat_assigned') }}
    group by assigned_hk
),

heard as (
    select
        vehicle_hk,
        max(_batch) as _batch
    from {{ source('silver', 'fleet__lnk_ping') }}
    group by vehicle_hk
),

-- what may differ now: the plan is new, or the vehicle was heard of
touched as (
    select
        schedule.assigned_hk,
        schedule.planned.*,
        greatest(schedule._batch, heard._batch) as _batch
    from schedule
    left join heard on schedule.planned.vehicle_hk = heard.vehicle_hk
    where greatest(schedule._batch, heard._batch) > {{ since }}
),

arrivals as (
    select
        touched.assigned_hk,
        min(pings.recorded_at) as arrived_at
    from touched
    inner join {{ source('silver', 'fleet__lnk_ping') }} as pings
        on touched.vehicle_hk = pings.vehicle_hk
        and pings.recorded_at >= touched.planned_at - interval 1 hour
        and pings.recorded_at <= touched.planned_at + interval 4 hours
    where
        pings.speed_kmh < 3
        -- a degree is 111,195 m; near a stop the earth is flat
        and 111195 * sqrt(
            pow(pings.latitude - touched.latitude, 2)
            + pow((pings.longitude - touched.longitude) * cos(radians(touched.latitude)), 2)
        ) <= 50
    group by touched.assigned_hk
)

select
    touched.assigned_hk,
    touched.vehicle_hk,
    touched.delivery_id,
    touched.vehicle_id,
    touched.planned_at,
    arrivals.arrived_at,
    unix_seconds(arrivals.arrived_at) - unix_seconds(touched.planned_at) as delay_s,
    touched._batch,
    touched._op = 'd' as _deleted
from touched
left join arrivals on touched.assigned_hk = arrivals.assigned_hk
