-- One row is one product in one basket: a line of a receipt, as last corrected.
-- Partitioned by the month of sale, so a day's lines or a correction touch one month's files.
{{ config(unique_key=['sold_month', 'basket_line_hk'], partition_by='sold_month') }}
{% set since = watermark() %}
{% set lines = source('silver', 'retail__sat_basket_line') %}
{% set sold_on = local_day('transaction_timestamp', 'America/New_York') %}

{%- if since >= 0 %}
{#- products that had no master row until now -#}
{%- set late -%}
    select product_id from {{ ref('retail__dim_product') }} where is_current and {{ newer(since) }}
{%- endset %}
{%- set touched -%}
    select
        basket_line_hk,
        basket_id
    from {{ lines }}
    where {{ newer(since) }}
    union
    select
        stored.basket_line_hk,
        stored.basket_id
    from {{ this }} as stored
    left semi join {{ cached('late', late) }} as late on stored.product_id = late.product_id
    where stored.product_hk = {{ unknown_key() }}
{%- endset %}
{%- set touched = cached('touched', touched) %}
{%- set first, last = range_of(touched, 'basket_id', 'bigint') %}
{%- endif %}
{%- set events -%}
    select events.*
    from {{ lines }} as events
    {%- if since >= 0 %}
    left semi join {{ touched }} as touched on events.basket_line_hk = touched.basket_line_hk
    where events.basket_id between {{ first }} and {{ last }}
    {%- endif %}
{%- endset %}
{%- set events = cached('events', events, since) %}

with masters as (
    select
        product_hk,
        product_id,
        _batch
    from {{ ref('retail__dim_product') }}
    where is_current
),

latest as (
    select
        basket_line_hk,
        max_by(
            struct(
                household_hk, store_hk, product_hk, household_id, store_id, basket_id, product_id,
                transaction_timestamp, quantity, sales_value, retail_disc, coupon_disc,
                coupon_match_disc, _flags, _origin, _op
            ),
            _sequence
        ) as line,
        collect_set(cast(date_trunc('month', {{ sold_on }}) as date)) as months,
        max(_batch) as _batch
    from {{ events }}
    group by basket_line_hk
),

-- one row for each month the line was ever booked in: all but the last one have to vanish
monthly as (
    select
        basket_line_hk,
        line.*,
        explode(months) as sold_month,
        _batch
    from latest
),

dated as (
    select
        *,
        {{ sold_on }} as date_key
    from monthly
)

select
    dated.basket_line_hk,
    dated.household_hk,
    dated.store_hk,
    coalesce(masters.product_hk, {{ unknown_key() }}) as product_hk,
    dated.date_key,
    dated.sold_month,
    dated.household_id,
    dated.store_id,
    dated.basket_id,
    dated.product_id,
    dated.transaction_timestamp as sold_at,
    dated.quantity,
    dated.sales_value,
    dated.retail_disc,
    dated.coupon_disc,
    dated.coupon_match_disc,
    cast(
        dated.sales_value + dated.retail_disc + dated.coupon_match_disc as decimal(12, 2)
    ) as shelf_value,
    coalesce(array_contains(dated._flags, 'zero_quantity'), false) as is_zero_quantity,
    dated._origin as origin,
    greatest(dated._batch, masters._batch) as _batch,
    dated._op = 'd' or dated.sold_month <> trunc(dated.date_key, 'month') as _deleted
from dated
left join masters on dated.product_hk = masters.product_hk
{%- if since < 0 %}
where dated._op <> 'd' and dated.sold_month = trunc(dated.date_key, 'month')
{%- endif %}
