-- One row is one household that ever bought or was targeted: all that is known of it today.
{{ config(unique_key='household_hk') }}
{% set since = watermark() %}

{%- set touched -%}
    select household_hk from {{ ref('retail__dim_household') }} where {{ newer(since) }} and household_hk <> {{ unknown_key() }}
    union
    select household_hk from {{ ref('retail__int_line_change') }} where {{ newer(since) }}
    union
    {{ touched_members(source('silver', 'retail__sat_redemption'), 'redemption_hk', ['household_hk'], since) }}
    union
    {{ touched_members(source('silver', 'retail__sat_campaign_target'), 'campaign_target_hk', ['household_hk'], since) }}
{%- endset %}
{%- set touched = cached('touched', touched, since) %}
{%- set known -%}
    with households as (
        select dim.*
        from {{ ref('retail__dim_household') }} as dim
        left semi join {{ touched }} as touched on dim.household_hk = touched.household_hk
        where dim.is_current
    ),

    mine as (
        select
            lines.household_hk,
            lines.store_id,
            lines.basket_id,
            lines.product_id,
            lines.date_key,
            lines.sales_value,
            lines.shelf_value,
            lines.retail_disc,
            lines.coupon_disc,
            lines._batch
        from {{ ref('retail__fct_basket_line') }} as lines
        {%- if since >= 0 %}
        left semi join {{ touched }} as touched on lines.household_hk = touched.household_hk
        {%- endif %}
    ),

    bought as (
        select
            household_hk,
            min(date_key) as first_basket_on,
            max(date_key) as last_basket_on,
            {{ distinct_values('basket_id', since) }} as baskets,
            count(*) as lines,
            {{ distinct_values('product_id', since) }} as products,
            sum(sales_value) as sales_value,
            sum(shelf_value) as shelf_value,
            sum(retail_disc) as retail_disc,
            sum(coupon_disc) as coupon_disc,
            max(_batch) as _batch
        from mine
        group by household_hk
    ),

    by_store as (
        select
            household_hk,
            store_id,
            sum(sales_value) as sales_value
        from mine
        group by household_hk, store_id
    ),

    -- the smaller number wins where two stores tie
    favourite as (
        select
            household_hk,
            max_by(struct(store_id), struct(sales_value, -store_id)) as store
        from by_store
        group by household_hk
    ),

    targeted as (
        select
            household_hk,
            count(*) as campaigns_targeted,
            count_if(is_redeemed) as campaigns_redeemed,
            sum(redemptions) as redemptions,
            max(_batch) as _batch
        from {{ ref('retail__fct_campaign_target') }}
        group by household_hk
    )

    select
        households.household_hk,
        households.household_id,
        households.age,
        households.income,
        households.household_comp,
        households.has_demographics,
        bought.first_basket_on,
        bought.last_basket_on,
        coalesce(bought.baskets, 0L) as baskets,
        coalesce(bought.lines, 0L) as lines,
        coalesce(bought.products, 0L) as products,
        bought.sales_value,
        bought.shelf_value,
        bought.retail_disc,
        bought.coupon_disc,
        favourite.store.store_id as favourite_store_id,
        coalesce(targeted.campaigns_targeted, 0L) as campaigns_targeted,
        coalesce(targeted.campaigns_redeemed, 0L) as campaigns_redeemed,
        coalesce(targeted.redemptions, 0L) as redemptions,
        greatest(households._batch, bought._batch, targeted._batch) as _batch,
        bought.household_hk is null and targeted.household_hk is null as _deleted
    from households
    left join bought on households.household_hk = bought.household_hk
    left join favourite on households.household_hk = favourite.household_hk
    left join targeted on households.household_hk = targeted.household_hk
{%- endset %}
{%- set known = cached('known', known, since) %}

select
    household_hk,
    household_id,
    age,
    income,
    household_comp,
    has_demographics,
    first_basket_on,
    last_basket_on,
    baskets,
    lines,
    products,
    cast(coalesce(sales_value, 0) as decimal(14, 2)) as sales_value,
    cast(coalesce(sales_value / nullif(baskets, 0), 0) as decimal(14, 2)) as basket_value,
    cast(coalesce(retail_disc / nullif(shelf_value, 0), 0) as double) as discount_share,
    cast(coalesce(coupon_disc, 0) as decimal(14, 2)) as coupon_disc,
    favourite_store_id,
    campaigns_targeted,
    campaigns_redeemed,
    redemptions,
    _batch,
    _deleted
from {{ known }} as known
