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
{%- set touched = cached('touched', touched) %}
{%- set chosen -%}
    -- what was touched, but is no target any more, has no start
    select
        touched.household_hk,
        touched.campaign_hk,
        targets.household_id,
        targets.campaign_id,
        targets.campaign_type,
        targets.start_date,
        targets.end_date,
        targets._batch
    from {{ touched }} as touched
    left join ({{ targets }}) as targets
        on touched.household_hk = targets.household_hk
        and touched.campaign_hk = targets.campaign_hk
{%- endset %}
{%- set chosen = cached('chosen', chosen) %}
{%- set first, last = range_of(chosen, 'start_date', 'date') %}
{%- else %}
{%- set chosen = '(' ~ targets ~ ')' %}
{%- endif %}
{%- set known -%}
    with chosen as (
        select * from {{ chosen }}
    ),

    targeted_before as (
        select
            chosen.household_hk,
            chosen.campaign_hk,
            count(*) as campaigns
        from chosen
        inner join ({{ targets }}) as targets
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
        inner join {{ ref('retail__fct_coupon_redemption') }} as redemptions
            on chosen.household_hk = redemptions.household_hk
            and redemptions.date_key < chosen.start_date
        group by chosen.household_hk, chosen.campaign_hk
    ),

    coupon_products as (
        {{ current_links(source('silver', 'retail__sat_coupon_product'), 'coupon_product_hk', ['coupon_hk', 'campaign_hk', 'product_id']) }}
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
        chosen.campaign_type,
        chosen.start_date,
        chosen.end_date,
        targeted_before.campaigns as targeted_before,
        redeemed_before.campaigns as redeemed_before,
        redeemed_before.last_redeemed_on,
        spent.spend,
        spent.promoted_spend,
        offered.coupons,
        offered.coupon_products,
        greatest(chosen._batch, latest._batch) as _batch
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
{%- endset %}
{%- set known = cached('known', known, since) %}

select
    household_hk,
    campaign_hk,
    household_id,
    campaign_id,
    {{ local_midnight('start_date', zone) }} as feature_at,
    coalesce(targeted_before, 0L) as campaigns_targeted_before,
    coalesce(redeemed_before, 0L) as campaigns_redeemed_before,
    least(coalesce(datediff(start_date, last_redeemed_on), 365), 365) as days_since_redemption,
    cast(coalesce(promoted_spend, 0) as double) as promoted_spend_91d,
    coalesce(cast(promoted_spend as double) / nullif(cast(spend as double), 0), 0D) as promoted_share_91d,
    coalesce(coupons, 0L) as campaign_coupons,
    coalesce(coupon_products, 0L) as campaign_products,
    datediff(end_date, start_date) + 1 as campaign_days,
    cast(campaign_type = 'Type A' as int) as is_type_a,
    cast(campaign_type = 'Type B' as int) as is_type_b,
    cast(campaign_type = 'Type C' as int) as is_type_c,
    _batch,
    start_date is null as _deleted
from {{ known }} as known
