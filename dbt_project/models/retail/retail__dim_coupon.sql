-- One row is one coupon, with how many products and campaigns it is valid for today.
{{ config(unique_key='coupon_hk') }}
{% set since = watermark() %}

with touched as (
    select coupon_hk
    from {{ source('silver', 'retail__hub_coupon') }}
    where {{ newer(since) }} and coupon_hk <> {{ unknown_key() }}
    union
    {{ touched_members(source('silver', 'retail__sat_coupon_product'), 'coupon_product_hk', ['coupon_hk'], since) }}
),

links as (
    {{ current_links(source('silver', 'retail__sat_coupon_product'), 'coupon_product_hk', ['coupon_hk', 'product_hk', 'campaign_hk']) }}
),

counted as (
    select
        coupon_hk,
        count(distinct product_hk) as products,
        count(distinct campaign_hk) as campaigns,
        max(_batch) as _batch
    from links
    group by coupon_hk
)

select
    hub.coupon_hk,
    hub.coupon_upc,
    coalesce(counted.products, 0L) as products,
    coalesce(counted.campaigns, 0L) as campaigns,
    greatest(hub._batch, counted._batch) as _batch,
    false as _deleted
from {{ source('silver', 'retail__hub_coupon') }} as hub
left semi join touched on hub.coupon_hk = touched.coupon_hk
left join counted on hub.coupon_hk = counted.coupon_hk
{%- if since < 0 %}
union all
select
    {{ unknown_key() }} as coupon_hk,
    cast(null as bigint) as coupon_upc,
    0L as products,
    0L as campaigns,
    0L as _batch,
    false as _deleted
{%- endif %}
