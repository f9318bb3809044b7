-- One row is one campaign: how many it reached, how many redeemed, what they spent on its products.
{{ config(unique_key='campaign_hk') }}
{% set since = watermark() %}

{%- set campaigns -%}
    select
        campaign_hk,
        campaign_id,
        campaign_type,
        start_date,
        end_date,
        _batch
    from {{ ref('retail__dim_campaign') }}
    where is_current and campaign_hk <> {{ unknown_key() }}
{%- endset %}
{%- if since >= 0 %}
{%- set campaigns = once('campaigns', campaigns) %}
{%- set touched -%}
    select campaign_hk from {{ campaigns }} where {{ newer(since) }}
    union
    {{ touched_members(source('silver', 'retail__sat_campaign_target'), 'campaign_target_hk', ['campaign_hk'], since) }}
    union
    {{ touched_members(source('silver', 'retail__sat_redemption'), 'redemption_hk', ['campaign_hk'], since) }}
    union
    {{ touched_members(source('silver', 'retail__sat_coupon_product'), 'coupon_product_hk', ['campaign_hk'], since) }}
    union
    select campaigns.campaign_hk
    from {{ campaigns }} as campaigns
    inner join {{ ref('retail__fct_campaign_target') }} as targets on campaigns.campaign_hk = targets.campaign_hk
    inner join {{ ref('retail__int_line_change') }} as changed
        on targets.household_hk = changed.household_hk
        and changed.date_key between campaigns.start_date and campaigns.end_date
    where changed._batch > {{ since }}
{%- endset %}
{%- set chosen -%}
    select campaigns.*
    from {{ campaigns }} as campaigns
    left semi join ({{ touched }}) as touched on campaigns.campaign_hk = touched.campaign_hk
{%- endset %}
{%- set chosen = once('chosen', chosen) %}
{%- set first, last = range_of(chosen, 'start_date', 'date')[0], range_of(chosen, 'end_date', 'date')[1] %}
{%- else %}
{%- set chosen = '(' ~ campaigns ~ ')' %}
{%- endif %}

with chosen as (
    select * from {{ chosen }}
),

targets as (
    select
        household_hk,
        campaign_hk,
        is_redeemed,
        redemptions,
        _batch
    from {{ ref('retail__fct_campaign_target') }}
),

coupon_products as (
    {{ current_links(source('silver', 'retail__sat_coupon_product'), 'coupon_product_hk', ['coupon_hk', 'campaign_hk', 'product_id']) }}
),

reached as (
    select
        campaign_hk,
        count(*) as households_targeted,
        count_if(is_redeemed) as households_redeemed,
        sum(redemptions) as redemptions,
        max(_batch) as _batch
    from targets
    group by campaign_hk
),

offered as (
    select
        campaign_hk,
        count(distinct coupon_hk) as coupons,
        count(distinct product_id) as coupon_products,
        max(_batch) as _batch
    from coupon_products
    group by campaign_hk
),

promoted as (
    select distinct
        campaign_hk,
        product_id
    from coupon_products
),

bought as (
    select
        chosen.campaign_hk,
        count(distinct lines.basket_id) as promoted_baskets,
        sum(lines.sales_value) as promoted_sales_value,
        max(lines._batch) as _batch
    from {{ ref('retail__fct_basket_line') }} as lines
    inner join targets on lines.household_hk = targets.household_hk
    inner join chosen
        on targets.campaign_hk = chosen.campaign_hk
        and lines.date_key between chosen.start_date and chosen.end_date
    inner join promoted
        on chosen.campaign_hk = promoted.campaign_hk
        and lines.product_id = promoted.product_id
    {%- if since >= 0 %}
    where
        lines.sold_month between trunc({{ first }}, 'month') and {{ last }}
        and lines.date_key between {{ first }} and {{ last }}
    {%- endif %}
    group by chosen.campaign_hk
)

select
    chosen.campaign_hk,
    chosen.campaign_id,
    chosen.campaign_type,
    chosen.start_date,
    chosen.end_date,
    coalesce(reached.households_targeted, 0L) as households_targeted,
    coalesce(reached.households_redeemed, 0L) as households_redeemed,
    coalesce(reached.redemptions, 0L) as redemptions,
    cast(coalesce(reached.households_redeemed / reached.households_targeted, 0) as double) as redemption_rate,
    coalesce(offered.coupons, 0L) as coupons,
    coalesce(offered.coupon_products, 0L) as coupon_products,
    coalesce(bought.promoted_baskets, 0L) as promoted_baskets,
    cast(coalesce(bought.promoted_sales_value, 0) as decimal(14, 2)) as promoted_sales_value,
    greatest(chosen._batch, reached._batch, offered._batch, bought._batch) as _batch,
    false as _deleted
from chosen
left join reached on chosen.campaign_hk = reached.campaign_hk
left join offered on chosen.campaign_hk = offered.campaign_hk
left join bought on chosen.campaign_hk = bought.campaign_hk
