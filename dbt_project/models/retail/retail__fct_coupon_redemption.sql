-- One row is one coupon handed in: a voided redemption is no row any more.
{{ config(unique_key='redemption_hk') }}
{% set since = watermark() %}

with latest as (
    select
        redemption_hk,
        max_by(
            struct(
                redemption_id, household_hk, coupon_hk, campaign_hk, household_id, coupon_upc,
                campaign_id, redemption_date, _origin, _op
            ),
            _sequence
        ) as redemption,
        max(_batch) as _batch
    from ({{ touched_events(source('silver', 'retail__sat_redemption'), 'redemption_hk', since) }})
    group by redemption_hk
)

select
    redemption_hk,
    redemption.redemption_id,
    redemption.household_hk,
    redemption.coupon_hk,
    redemption.campaign_hk,
    redemption.redemption_date as date_key,
    redemption.household_id,
    redemption.coupon_upc,
    redemption.campaign_id,
    redemption._origin as origin,
    _batch,
    redemption._op = 'd' as _deleted
from latest
