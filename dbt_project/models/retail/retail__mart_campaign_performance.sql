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
{%- set campaigns = cached('campaigns', campaigns) %}
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
{%- set chosen = cached('chosen', chosen) %}
{%- set first, last = range_of(chosen, 'start_date', 'date')[0], range_of(chosen, 'end_date', 'date')[1] %}
{%- else %}
{%- set chosen = '(' ~ campaigns ~ ')' %}
{%- endif %}
{%- set known -%}
    with chosen as (
        select * from {{ chosen }}
    ),

    targets as (
        select * from {{ ref('retail__fct_campaign_target') }}
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

    -- households with their campaigns first: to begin with, all lines would meet all campaigns
    bought as (
        select
            offers.campaign_hk,
            count(distinct lines.basket_id) as promoted_baskets,
            sum(lines.sales_value) as promoted_sales_value,
            max(lines._batch) as _batch
        from (
            select
                targets.household_hk,
                chosen.campaign_hk,
                chosen.start_date,
                chosen.end_date
            from targets
            inner join chosen on targets.campaign_hk = chosen.campaign_hk
        ) as offers
        inner join {{ ref('retail__fct_basket_line') }} as lines
            on offers.household_hk = lines.household_hk
            and lines.date_key between offers.start_date and offers.end_date
        left semi join coupon_products as promoted
            on offers.campaign_hk = promoted.campaign_hk
            and lines.product_id = promoted.product_id
        {%- if since >= 0 %}
        where
            lines.sold_month between trunc({{ first }}, 'month') and {{ last }}
            and lines.date_key between {{ first }} and {{ last }}
        {%- endif %}
        group by offers.campaign_hk
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
        coalesce(offered.coupons, 0L) as coupons,
        coalesce(offered.coupon_products, 0L) as coupon_products,
        coalesce(bought.promoted_baskets, 0L) as promoted_baskets,
        bought.promoted_sales_value,
        greatest(chosen._batch, reached._batch, offered._batch, bought._batch) as _batch
    from chosen
    left join reached on chosen.campaign_hk = reached.campaign_hk
    left join offered on chosen.campaign_hk = offered.campaign_hk
    left join bought on chosen.campaign_hk = bought.campaign_hk
{%- endset %}
{%- set known = cached('known', known, since) %}

select
    campaign_hk,
    campaign_id,
    campaign_type,
    start_date,
    end_date,
    households_targeted,
    households_redeemed,
    redemptions,
    cast(coalesce(households_redeemed / nullif(households_targeted, 0), 0) as double) as redemption_rate,
    coupons,
    coupon_products,
    promoted_baskets,
    cast(coalesce(promoted_sales_value, 0) as decimal(14, 2)) as promoted_sales_value,
    _batch,
    false as _deleted
from {{ known }} as known
