-- One row is one household that a campaign was sent to, with what became of it.
{{ config(unique_key='campaign_target_hk') }}
{% set since = watermark() %}
{% set targets = source('silver', 'retail__sat_campaign_target') %}

with latest as (
    select
        campaign_target_hk,
        max_by(struct(household_hk, campaign_hk, household_id, campaign_id, _origin, _op), _sequence) as target,
        max(_batch) as _batch
    from {{ targets }}
    group by campaign_target_hk
),

redeeming as (
    {{ touched_members(source('silver', 'retail__sat_redemption'), 'redemption_hk', ['household_hk', 'campaign_hk'], since) }}
),

touched as (
    select campaign_target_hk from {{ targets }} where {{ newer(since) }}
    union
    select latest.campaign_target_hk
    from latest
    inner join redeeming
        on latest.target.household_hk = redeeming.household_hk
        and latest.target.campaign_hk = redeeming.campaign_hk
),

redeemed as (
    select
        household_hk,
        campaign_hk,
        count(*) as redemptions,
        min(date_key) as first_redeemed_on,
        max(date_key) as last_redeemed_on,
        max(_batch) as _batch
    from {{ ref('retail__fct_coupon_redemption') }}
    group by household_hk, campaign_hk
)

select
    latest.campaign_target_hk,
    latest.target.household_hk,
    latest.target.campaign_hk,
    latest.target.household_id,
    latest.target.campaign_id,
    coalesce(redeemed.redemptions, 0L) > 0 as is_redeemed,
    coalesce(redeemed.redemptions, 0L) as redemptions,
    redeemed.first_redeemed_on,
    redeemed.last_redeemed_on,
    latest.target._origin as origin,
    greatest(latest._batch, redeemed._batch) as _batch,
    latest.target._op = 'd' as _deleted
from latest
left semi join touched on latest.campaign_target_hk = touched.campaign_target_hk
left join redeemed
    on latest.target.household_hk = redeemed.household_hk
    and latest.target.campaign_hk = redeemed.campaign_hk
