-- One row a version of a household: what was known of it from valid_from until valid_to.
-- Every household that ever appeared is here; only some gave demographics.
{{ config(unique_key=['household_hk', 'valid_from'], scope_key='household_hk') }}
{% set since = watermark() %}
{% set attributes = ['age', 'income', 'home_ownership', 'marital_status', 'household_size', 'household_comp', 'kids_count'] %}

with touched as (
    select household_hk
    from {{ source('silver', 'retail__hub_household') }}
    where {{ newer(since) }} and household_hk <> {{ unknown_key() }}
    union
    select household_hk
    from {{ source('silver', 'retail__sat_household_demographics') }}
    where {{ newer(since) }} and household_hk <> {{ unknown_key() }}
),

households as (
    select
        hub.household_hk,
        hub.household_id,
        hub._batch
    from {{ source('silver', 'retail__hub_household') }} as hub
    left semi join touched on hub.household_hk = touched.household_hk
),

-- a change of the same instant replaces the one before it: nobody could have seen that
versions as (
    select history.*
    from {{ source('silver', 'retail__sat_household_demographics_history') }} as history
    left semi join touched on history.household_hk = touched.household_hk
    where history.valid_to is null or history.valid_to > history.valid_from
),

dated as (
    select
        households.household_hk,
        households.household_id,
        {% for attribute in attributes -%}
        coalesce(case when not versions.is_deleted then versions.{{ attribute }} end, '(unknown)') as {{ attribute }},
        {% endfor -%}
        coalesce(not versions.is_deleted, false) as has_demographics,
        row_number() over (
            partition by households.household_hk order by versions.valid_from
        ) as version,
        versions.valid_from,
        versions.valid_to,
        greatest(
            households._batch, max(versions._batch) over (partition by households.household_hk)
        ) as _batch
    from households
    left join versions on households.household_hk = versions.household_hk
)

select
    household_hk,
    household_id,
    {% for attribute in attributes -%}
    {{ attribute }},
    {% endfor -%}
    has_demographics,
    case when version = 1 then timestamp '1900-01-01' else valid_from end as valid_from,
    valid_to,
    valid_to is null as is_current,
    _batch,
    false as _deleted
from dated
{%- if since < 0 %}
union all
select
    {{ unknown_key() }} as household_hk,
    cast(null as bigint) as household_id,
    {% for attribute in attributes -%}
    '(unknown)' as {{ attribute }},
    {% endfor -%}
    false as has_demographics,
    timestamp '1900-01-01' as valid_from,
    cast(null as timestamp) as valid_to,
    true as is_current,
    0L as _batch,
    false as _deleted
{%- endif %}
