-- One row is one vehicle and minute with a ping: how it drove in the five minutes up to its end.
{{ config(unique_key=['vehicle_hk', 'minute'], scope_key='vehicle_hk') }}
{% set since = watermark() %}

with seconds as (
    select
        vehicle_hk,
        vehicle_id,
        recorded_at,
        speed_kmh,
        lag(struct(recorded_at, speed_kmh)) over (partition by vehicle_hk order by recorded_at) as before,
        _batch
    from ({{ touched_events(source('silver', 'fleet__lnk_ping'), 'vehicle_hk', since) }})
),

minutes as (
    select
        vehicle_hk,
        vehicle_id,
        date_trunc('minute', recorded_at) as minute,
        count(*) as pings,
        sum(speed_kmh) as speeds,
        count_if(
            before.speed_kmh - speed_kmh > 12
            and unix_seconds(recorded_at) - unix_seconds(before.recorded_at) = 1
        ) as harsh_brakes,
        max(_batch) as _batch
    from seconds
    group by vehicle_hk, vehicle_id, date_trunc('minute', recorded_at)
)

select
    minutes.vehicle_hk,
    minutes.vehicle_id,
    minutes.minute,
    minutes.minute + interval 1 minute as feature_at,
    sum(earlier.pings) as pings_5m,
    sum(earlier.harsh_brakes) as harsh_brakes_5m,
    cast(sum(earlier.speeds) as double) / 3.6D as metres_5m,
    max(earlier._batch) as _batch,
    false as _deleted
from minutes
inner join minutes as earlier
    on minutes.vehicle_hk = earlier.vehicle_hk
    and earlier.minute > minutes.minute - interval 5 minutes
    and earlier.minute <= minutes.minute
group by minutes.vehicle_hk, minutes.vehicle_id, minutes.minute
