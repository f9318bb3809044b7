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

-- a change of the same instant replaces the one before it: nobody could have seen that
versions as (
    select history.*
    from {{ source('silver', 'retail__sat_campaign_history') }} as history
    left semi join touched on history.campaign_hk = touched.campaign_hk
    where history.valid_to is null or history.valid_to > history.valid_from
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
    case when version = 1 then timestamp '1900-01-01' else valid_from end as valid_from,
    valid_to,
    valid_to is null as is_current,
    _batch,
    false as _deleted
from dated
{%- if since < 0 %}
union all
select
    {{ unknown_key() }} as campaign_hk,
    cast(null as bigint) as campaign_id,
    '(unknown)' as campaign_type,
    cast(null as date) as start_date,
    cast(null as date) as end_date,
    timestamp '1900-01-01' as valid_from,
    cast(null as timestamp) as valid_to,
    true as is_current,
    0L as _batch,
    false as _deleted
{%- endif %}
