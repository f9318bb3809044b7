-- One row is one customer and day with an order: as it was at the end of the day.
{{ config(unique_key=['customer_hk', 'day'], scope_key='customer_hk') }}
{% set since = watermark() %}

with touched as (
    {{ touched_members(source('silver', 'proof__sat_placed'), 'placed_hk', ['customer_hk'], since) }}
),

days as (
    select
        orders.customer_hk,
        orders.customer_id,
        to_date(orders.placed_at) as day,
        count(*) as orders,
        sum(orders.amount) as spend,
        max(orders._batch) as _batch
    from {{ ref('proof__fct_order') }} as orders
    left semi join touched on orders.customer_hk = touched.customer_hk
    group by orders.customer_hk, orders.customer_id, to_date(orders.placed_at)
)

select
    days.customer_hk,
    days.day,
    days.customer_id,
    timestamp(date_add(days.day, 1)) as feature_at,
    sum(earlier.orders) as orders_7d,
    cast(sum(earlier.spend) as decimal(20, 2)) as spend_7d,
    max(earlier._batch) as _batch,
    false as _deleted
from days
inner join days as earlier
    on days.customer_hk = earlier.customer_hk
    and earlier.day between date_add(days.day, -6) and days.day
group by days.customer_hk, days.day, days.customer_id
{% if since >= 0 %}
union all
select
    customer_hk,
    cast(null as date) as day,
    cast(null as bigint) as customer_id,
    cast(null as timestamp) as feature_at,
    cast(null as bigint) as orders_7d,
    cast(null as decimal(20, 2)) as spend_7d,
    cast(null as bigint) as _batch,
    true as _deleted
from touched
{% endif %}
