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

versions as (
    {{ touched_versions(source('silver', 'retail__sat_household_demographics_history'), 'household_hk') }}
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
    {{ validity() }}
from dated
{%- if since < 0 %}
union all
{{ unknown_member('household_hk', ['household_id bigint'] + attributes + ['has_demographics boolean']) }}
{%- endif %}
