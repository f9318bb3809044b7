-- One row is one household and one campaign sent to it: what was known of the two just before the
-- campaign began, to be used from feature_at on. Nothing of the first day or later counts.
{{ config(unique_key=['household_hk', 'campaign_hk']) }}
{% set since = watermark() %}
{% set zone = 'America/New_York' %}

{%- set targets -%}
    select
        targets.household_hk,
        targets.campaign_hk,
        targets.household_id,
        targets.campaign_id,
        campaigns.campaign_type,
        campaigns.start_date,
        campaigns.end_date,
        greatest(targets._batch, campaigns._batch) as _batch
    from {{ ref('retail__fct_campaign_target') }} as targets
    inner join {{ ref('retail__dim_campaign') }} as campaigns
        on targets.campaign_hk = campaigns.campaign_hk
        and campaigns.is_current
    where campaigns.start_date is not null
{%- endset %}
{%- if since >= 0 %}
{%- set touched -%}
    with every_target as (
        {{ touched_members(source('silver', 'retail__sat_campaign_target'), 'campaign_target_hk', ['household_hk', 'campaign_hk'], -1) }}
    ),

    -- households whose past with campaigns changed: all their rows, for later ones count earlier ones
    history_changed as (
        {{ touched_members(source('silver', 'retail__sat_campaign_target'), 'campaign_target_hk', ['household_hk'], since) }}
        union
        select every_target.household_hk
        from every_target
        left semi join (
            select campaign_hk from {{ ref('retail__dim_campaign') }} where is_current and {{ newer(since) }}
            union
            {{ touched_members(source('silver', 'retail__sat_coupon_product'), 'coupon_product_hk', ['campaign_hk'], since) }}
        ) as changed on every_target.campaign_hk = changed.campaign_hk
    ),

    -- days that changed, with how many days later they can still count
    days_changed as (
        select
            household_hk,
            date_key as day,
            91 as counts_for
        from {{ ref('retail__int_line_change') }}
        where {{ newer(since) }}
        union
        select distinct
            household_hk,
            redemption_date as day,
            100000 as counts_for
        from ({{ touched_events(source('silver', 'retail__sat_redemption'), 'redemption_hk', since) }})
        where redemption_date is not null
    )

    select
        every_target.household_hk,
        every_target.campaign_hk
    from every_target
    left semi join history_changed on every_target.household_hk = history_changed.household_hk
    union
    select
        targets.household_hk,
        targets.campaign_hk
    from ({{ targets }}) as targets
    inner join days_changed
        on targets.household_hk = days_changed.household_hk
        and targets.start_date > days_changed.day
        and targets.start_date <= date_add(days_changed.day, days_changed.counts_for)
{%- endset %}
{%- set touched = once('touched', touched) %}
{%- set chosen -%}
    select targets.*
    from ({{ targets }}) as targets
    left semi join {{ touched }} as touched
        on targets.household_hk = touched.household_hk
        and targets.campaign_hk = touched.campaign_hk
{%- endset %}
{%- set chosen = once('chosen', chosen) %}
{%- set first, last = range_of(chosen, 'start_date', 'date') %}
{%- endif %}

with targets as (
    {{ targets }}
),

redemptions as (
    select
        redemptions.household_hk,
        redemptions.campaign_hk,
        redemptions.date_key
    from {{ ref('retail__fct_coupon_redemption') }} as redemptions
),

coupon_products as (
    {{ current_links(source('silver', 'retail__sat_coupon_product'), 'coupon_product_hk', ['coupon_hk', 'campaign_hk', 'product_id']) }}
),

chosen as (
    select * from {{ chosen if since >= 0 else 'targets' }}
),

targeted_before as (
    select
        chosen.household_hk,
        chosen.campaign_hk,
        count(*) as campaigns
    from chosen
    inner join targets
        on chosen.household_hk = targets.household_hk
        and targets.start_date < chosen.start_date
    group by chosen.household_hk, chosen.campaign_hk
),

redeemed_before as (
    select
        chosen.household_hk,
        chosen.campaign_hk,
        count(distinct redemptions.campaign_hk) as campaigns,
        max(redemptions.date_key) as last_redeemed_on
    from chosen
    inner join redemptions
        on chosen.household_hk = redemptions.household_hk
        and redemptions.date_key < chosen.start_date
    group by chosen.household_hk, chosen.campaign_hk
),

offered as (
    select
        campaign_hk,
        count(distinct coupon_hk) as coupons,
        count(distinct product_id) as coupon_products
    from coupon_products
    group by campaign_hk
),

promoted as (
    select distinct
        campaign_hk,
        product_id
    from coupon_products
),

-- one row a day and product a household bought: a basket's lines count for several campaigns
shopping as (
    select
        lines.household_hk,
        lines.date_key,
        lines.product_id,
        sum(lines.sales_value) as sales_value
    from {{ ref('retail__fct_basket_line') }} as lines
    left semi join chosen
        on lines.household_hk = chosen.household_hk
        and lines.date_key < chosen.start_date
        and lines.date_key >= date_add(chosen.start_date, -91)
    {%- if since >= 0 %}
    where
        lines.sold_month between trunc(date_add({{ first }}, -91), 'month') and {{ last }}
        and lines.date_key between date_add({{ first }}, -91) and {{ last }}
    {%- endif %}
    group by lines.household_hk, lines.date_key, lines.product_id
),

spent as (
    select
        chosen.household_hk,
        chosen.campaign_hk,
        sum(shopping.sales_value) as spend,
        sum(case when promoted.product_id is not null then shopping.sales_value else 0 end) as promoted_spend
    from chosen
    inner join shopping
        on chosen.household_hk = shopping.household_hk
        and shopping.date_key < chosen.start_date
        and shopping.date_key >= date_add(chosen.start_date, -91)
    left join promoted
        on chosen.campaign_hk = promoted.campaign_hk
        and shopping.product_id = promoted.product_id
    group by chosen.household_hk, chosen.campaign_hk
),

latest as (select max(_batch) as _batch from {{ ref('retail__fct_basket_line') }})

select
    chosen.household_hk,
    chosen.campaign_hk,
    chosen.household_id,
    chosen.campaign_id,
    {{ local_midnight('chosen.start_date', zone) }} as feature_at,
    coalesce(targeted_before.campaigns, 0L) as campaigns_targeted_before,
    coalesce(redeemed_before.campaigns, 0L) as campaigns_redeemed_before,
    least(
        coalesce(datediff(chosen.start_date, redeemed_before.last_redeemed_on), 365), 365
    ) as days_since_redemption,
    cast(coalesce(spent.promoted_spend, 0) as double) as promoted_spend_91d,
    coalesce(
        cast(spent.promoted_spend as double) / nullif(cast(spent.spend as double), 0), 0D
    ) as promoted_share_91d,
    coalesce(offered.coupons, 0L) as campaign_coupons,
    coalesce(offered.coupon_products, 0L) as campaign_products,
    datediff(chosen.end_date, chosen.start_date) + 1 as campaign_days,
    cast(chosen.campaign_type = 'Type A' as int) as is_type_a,
    cast(chosen.campaign_type = 'Type B' as int) as is_type_b,
    cast(chosen.campaign_type = 'Type C' as int) as is_type_c,
    greatest(chosen._batch, latest._batch) as _batch,
    false as _deleted
from chosen
cross join latest
left join targeted_before
    on chosen.household_hk = targeted_before.household_hk
    and chosen.campaign_hk = targeted_before.campaign_hk
left join redeemed_before
    on chosen.household_hk = redeemed_before.household_hk
    and chosen.campaign_hk = redeemed_before.campaign_hk
left join offered on chosen.campaign_hk = offered.campaign_hk
left join spent
    on chosen.household_hk = spent.household_hk
    and chosen.campaign_hk = spent.campaign_hk
{%- if since >= 0 %}
union all
-- touched, but no target any more
select
    touched.household_hk,
    touched.campaign_hk,
    cast(null as bigint) as household_id,
    cast(null as bigint) as campaign_id,
    cast(null as timestamp) as feature_at,
    cast(null as bigint) as campaigns_targeted_before,
    cast(null as bigint) as campaigns_redeemed_before,
    cast(null as int) as days_since_redemption,
    cast(null as double) as promoted_spend_91d,
    cast(null as double) as promoted_share_91d,
    cast(null as bigint) as campaign_coupons,
    cast(null as bigint) as campaign_products,
    cast(null as int) as campaign_days,
    cast(null as int) as is_type_a,
    cast(null as int) as is_type_b,
    cast(null as int) as is_type_c,
    cast(null as bigint) as _batch,
    true as _deleted
from {{ touched }} as touched
left anti join chosen
    on touched.household_hk = chosen.household_hk
    and touched.campaign_hk = chosen.campaign_hk
{%- endif %}
