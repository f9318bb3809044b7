-- One row is one household and one campaign it may still redeem: what a model needs to score it.
-- Features are as of the latest day in the lines; campaigns that open the next day are in, so the
-- stream of that day finds them. Offers hold from valid_from until before valid_to (UTC).
{{ config(materialized='table') }}
{% set zone = 'America/New_York' %}
{#- a literal day, so that of all days only the last one's files are read -#}
{% set last_day, last_batch = bounds_of(ref('retail__feat_household_day'), 'day') %}
{%- set known -%}
    with campaigns as (
        select
            campaign_hk,
            start_date,
            end_date
        from {{ ref('retail__dim_campaign') }}
        where
            is_current
            and start_date <= date_add({{ last_day }}, 1)
            and end_date > {{ last_day }}
    ),

    behaviour as (
        select *
        from {{ ref('retail__feat_household_day') }}
        where day_month = trunc({{ last_day }}, 'month') and day = {{ last_day }}
    )

    select
        offers.*,
        campaigns.start_date,
        campaigns.end_date,
        behaviour.feature_at as known_at,
        behaviour.days_since_first_basket,
        behaviour.days_since_last_basket,
        {% for days in [7, 28, 91] -%}
        behaviour.spend_{{ days }}d,
        behaviour.baskets_{{ days }}d,
        behaviour.lines_{{ days }}d,
        behaviour.discount_share_{{ days }}d,
        behaviour.coupon_share_{{ days }}d,
        {% endfor -%}
        {{ last_batch }} as last_batch
    from {{ ref('retail__feat_household_campaign') }} as offers
    inner join campaigns on offers.campaign_hk = campaigns.campaign_hk
    inner join behaviour on offers.household_hk = behaviour.household_hk
{%- endset %}
{%- set known = cached('known', known) %}

select
    household_hk,
    campaign_hk,
    household_id,
    campaign_id,
    {{ local_midnight('start_date', zone) }} as valid_from,
    {{ local_midnight('date_add(end_date, 1)', zone) }} as valid_to,
    known_at as feature_at,
    days_since_first_basket,
    days_since_last_basket,
    {% for days in [7, 28, 91] -%}
    spend_{{ days }}d,
    baskets_{{ days }}d,
    lines_{{ days }}d,
    discount_share_{{ days }}d,
    coupon_share_{{ days }}d,
    {% endfor -%}
    campaigns_targeted_before,
    campaigns_redeemed_before,
    days_since_redemption,
    promoted_spend_91d,
    promoted_share_91d,
    campaign_coupons,
    campaign_products,
    campaign_days,
    is_type_a,
    is_type_b,
    is_type_c,
    last_batch as _batch
from {{ known }} as known
