-- One row a version of a campaign: its type and its days, from valid_from until valid_to.
-- A campaign that has targets or coupons but no description is here with unknown days.
{{ config(unique_key=['campaign_hk', 'valid_from'], scope_key='campaign_hk') }}
{% set since = watermark() %}

with touched as (
    select campaign_hk
    from {{ source('silver', 'retail__hub_campaign') }}
    where {{ newer(since) }} and campaign_hk <> {{ unknown_key() }}
    union
    select campaign_hk
    from {{ source('silver', 'retail__sat_campaign') }}
    where {{ newer(since) }} and campaign_hk <> {{ unknown_key() }}
),

campaigns as (
    select
        hub.campaign_hk,
        hub.campaign_id,
        hub._batch
    from {{ source('silver', 'retail__hub_campaign') }} as hub
    left semi join touched on hub.campaign_hk = touched.campaign_hk
),

versions as (
    {{ touched_versions(source('silver', 'retail__sat_campaign_history'), 'campaign_hk') }}
),

dated as (
    select
        campaigns.campaign_hk,
        campaigns.campaign_id,
        coalesce(case when not versions.is_deleted then versions.campaign_type end, '(unknown)') as campaign_type,
        case when not versions.is_deleted then versions.start_date end as start_date,
        case when not versions.is_deleted then versions.end_date end as end_date,
        row_number() over (
            partition by campaigns.campaign_hk order by versions.valid_from
        ) as version,
        versions.valid_from,
        versions.valid_to,
        greatest(
            campaigns._batch, max(versions._batch) over (partition by campaigns.campaign_hk)
        ) as _batch
    from campaigns
    left join versions on campaigns.campaign_hk = versions.campaign_hk
)

select
    campaign_hk,
    campaign_id,
    campaign_type,
    start_date,
    end_date,
    {{ validity() }}
from dated
{%- if since < 0 %}
union all
{{ unknown_member('campaign_hk', ['campaign_id bigint', 'campaign_type', 'start_date date', 'end_date date']) }}
{%- endif %}
