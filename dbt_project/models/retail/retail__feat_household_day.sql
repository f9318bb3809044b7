-- One row is one household and local day, from its first basket on: its behaviour as of the end
-- of that day, to be used from feature_at on and never before.
-- Totals run over all days so far; a window of n days is the total less the total n days earlier,
-- so a new day needs the day before it and three older rows, not 91 days of receipts.
{{ config(unique_key=['day_month', 'household_hk', 'day'], partition_by='day_month') }}
{% set since = watermark() %}
{% set zone = 'America/New_York' %}
{% set lines = ref('retail__fct_basket_line') %}
{% if since >= 0 %}
{#- asked beforehand: what is derived again depends on them in many places, and a literal costs no join -#}
{% set last_day, batch = bounds_of(lines, 'date_key') %}
{% set stored_end = bounds_of(this, 'day')[0] %}
{#-
    The first day to derive again: of a household whose lines changed that of the change, of all
    others the first day that is new, or that is no day any more.
-#}
{% set spans -%}
    select
        household_hk,
        min(from_day) as from_day
    from (
        select
            household_hk,
            date_add(least({{ last_day }}, {{ stored_end }}), 1) as from_day
        from {{ this }}
        where day = {{ stored_end }} and day_month = trunc({{ stored_end }}, 'month')
        union all
        select
            household_hk,
            date_key as from_day
        from {{ ref('retail__int_line_change') }}
        where {{ newer(since) }}
    )
    group by household_hk
{%- endset %}
{% set spans = cached('spans', spans) %}
{% set first_day = range_of(spans, 'from_day', 'date')[0] %}
{% else %}
{% set last_day, batch = '(select max(date_key) from ' ~ lines ~ ')', '(select max(_batch) from ' ~ lines ~ ')' %}
{% endif %}
{% set totals = ['spend', 'shelf', 'retail_disc', 'coupon', 'baskets', 'lines'] %}
{%- set daily -%}
    select
        lines.household_hk,
        lines.date_key as day,
        max(lines.household_id) as household_id,
        sum(lines.sales_value) as spend,
        sum(lines.shelf_value) as shelf,
        sum(lines.retail_disc) as retail_disc,
        sum(lines.coupon_disc + lines.coupon_match_disc) as coupon,
        count(distinct lines.basket_id) as baskets,
        count(*) as lines
    from {{ lines }} as lines
    {%- if since >= 0 %}
    inner join {{ spans }} as spans
        on lines.household_hk = spans.household_hk
        and lines.date_key >= spans.from_day
    where lines.sold_month >= trunc({{ first_day }}, 'month') and lines.date_key >= {{ first_day }}
    {%- endif %}
    group by lines.household_hk, lines.date_key
{%- endset %}
{%- set daily = cached('daily', daily, since) %}

{%- if since >= 0 %}
{#- the day before gives totals and, with them, where the household began; the others what to take off -#}
{%- set to_day = 'greatest(' ~ last_day ~ ', ' ~ stored_end ~ ')' %}
{%- set base -%}
    select
        stored.household_hk,
        stored.household_id,
        stored.day,
        stored.first_basket_on,
        stored.last_basket_on,
        {% for total in totals -%}
        stored.{{ total }}_total{{ ',' if not loop.last }}
        {% endfor %}
    from {{ this }} as stored
    inner join {{ spans }} as spans on stored.household_hk = spans.household_hk
    where
        stored.day_month >= trunc(date_add({{ first_day }}, -91), 'month')
        and stored.day < spans.from_day
        and (
            stored.day = date_add(spans.from_day, -1)
            {%- for days in [7, 28, 91] %}
            or stored.day between date_add(spans.from_day, -{{ days }}) and date_add({{ to_day }}, -{{ days }})
            {%- endfor %}
        )
{%- endset %}
{%- set base = cached('base', base) %}
{%- endif %}

with daily as (
    select * from {{ daily }}
),

bounds as (
    {%- if since >= 0 %}
    select
        spans.household_hk,
        spans.from_day,
        {{ to_day }} as to_day
    from {{ spans }} as spans
    {%- else %}
    select
        daily.household_hk,
        min(daily.day) as from_day,
        max({{ last_day }}) as to_day
    from daily
    group by daily.household_hk
    {%- endif %}
),

grid as (
    select
        household_hk,
        explode(sequence(from_day, to_day)) as day
    from bounds
    where from_day <= to_day
),

-- what is stored comes in as it is: totals on the day itself, nothing on top
joined as (
    select
        grid.household_hk,
        daily.household_id,
        grid.day,
        true as is_derived,
        daily.day as basket_on,
        daily.day as first_on,
        {% for total in totals -%}
        coalesce(daily.{{ total }}, 0) as {{ total }}{{ ',' if not loop.last }}
        {% endfor %}
    from grid
    left join daily on grid.household_hk = daily.household_hk and grid.day = daily.day
    {%- if since >= 0 %}
    union all
    select
        household_hk,
        household_id,
        day,
        false as is_derived,
        last_basket_on as basket_on,
        first_basket_on as first_on,
        {% for total in totals -%}
        coalesce({{ total }}_total - lag({{ total }}_total) over (partition by household_hk order by day), {{ total }}_total) as {{ total }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ base }} as base
    {%- endif %}
),

running as (
    select
        household_hk,
        max(household_id) over so_far as household_id,
        day,
        is_derived,
        max(basket_on) over so_far as last_basket_on,
        min(first_on) over so_far as first_basket_on,
        {% for total in totals -%}
        sum({{ total }}) over so_far as {{ total }}_total{{ ',' if not loop.last }}
        {% endfor %}
    from joined
    window so_far as (
        partition by household_hk order by day rows between unbounded preceding and current row
    )
),

windowed as (
    select
        *,
        {% for days in [7, 28, 91] -%}
        {% set outer_loop = loop %}
        {%- for total in totals -%}
        {{ total }}_total - coalesce(first_value({{ total }}_total) over before_{{ days }}d, 0) as {{ total }}_{{ days }}d{{ ',' if not (loop.last and outer_loop.last) }}
        {% endfor -%}
        {% endfor %}
    from running
    window
        {% for days in [7, 28, 91] -%}
        before_{{ days }}d as (
            partition by household_hk order by day range between {{ days }} preceding and {{ days }} preceding
        ){{ ',' if not loop.last }}
        {% endfor %}
)

select
    windowed.household_hk,
    windowed.household_id,
    windowed.day,
    cast(date_trunc('month', windowed.day) as date) as day_month,
    {{ local_midnight('date_add(windowed.day, 1)', zone) }} as feature_at,
    windowed.first_basket_on,
    windowed.last_basket_on,
    datediff(windowed.day, windowed.first_basket_on) as days_since_first_basket,
    datediff(windowed.day, windowed.last_basket_on) as days_since_last_basket,
    {% for days in [7, 28, 91] -%}
    cast(spend_{{ days }}d as double) as spend_{{ days }}d,
    baskets_{{ days }}d,
    lines_{{ days }}d,
    coalesce(cast(retail_disc_{{ days }}d as double) / nullif(cast(shelf_{{ days }}d as double), 0), 0D) as discount_share_{{ days }}d,
    coalesce(cast(coupon_{{ days }}d as double) / nullif(cast(shelf_{{ days }}d as double), 0), 0D) as coupon_share_{{ days }}d,
    {% endfor -%}
    {% for total in totals -%}
    cast({{ total }}_total as {{ 'bigint' if total in ['baskets', 'lines'] else 'decimal(14, 2)' }}) as {{ total }}_total,
    {% endfor -%}
    {{ batch }} as _batch,
    windowed.first_basket_on is null or windowed.day > {{ last_day }} as _deleted
from windowed
where windowed.is_derived
