-- One row is one retail week, department and store: what was sold there.
-- The department is the product's at the time of sale, so a renamed product moves no past sale.
{{ config(unique_key=['week_start', 'department', 'store_hk'], scope_key='week_start') }}
{% set since = watermark() %}

{%- if since >= 0 %}
{#-
    Versions of products that were added or moved, by the span in which they may count differently.
    Validity is the running maximum of commit times: an event moves what follows it in order, and,
    where nothing is older, also all that came before.
-#}
{%- set reclassified -%}
    with changed as (
        select
            product_hk,
            min(_sequence) as _sequence
        from {{ source('silver', 'retail__sat_product') }}
        where {{ newer(since) }}
        group by product_hk
    ),

    spans as (
        select
            events.product_hk,
            min(case when events._sequence < changed._sequence then events._source_ts end) as known_from,
            min(case when events._sequence >= changed._sequence then events._source_ts end) as changed_from
        from {{ source('silver', 'retail__sat_product') }} as events
        inner join changed on events.product_hk = changed.product_hk
        group by events.product_hk
    )

    select
        product_hk,
        case when known_from < changed_from then changed_from else timestamp '1900-01-01' end as changed_from
    from spans
{%- endset %}
{%- set reclassified = cached('reclassified', reclassified) %}
{%- set changed_from = range_of(reclassified, 'changed_from', 'timestamp')[0] %}
{%- set touched -%}
    select distinct cast(date_trunc('week', day) as date) as week_start
    from (
        select date_key as day
        from {{ ref('retail__int_line_change') }}
        where {{ newer(since) }}
        union all
        select lines.date_key as day
        from {{ ref('retail__fct_basket_line') }} as lines
        inner join {{ reclassified }} as reclassified
            on lines.product_hk = reclassified.product_hk
            and lines.sold_at >= reclassified.changed_from
        where lines.sold_at >= {{ changed_from }}
    )
{%- endset %}
{%- set touched = cached('touched', touched) %}
{%- set first, last = range_of(touched, 'week_start', 'date') %}
{%- endif %}
{%- set sold -%}
    select
        cast(date_trunc('week', lines.date_key) as date) as week_start,
        products.department,
        lines.store_hk,
        lines.store_id,
        lines.household_hk,
        lines.basket_id,
        lines.quantity,
        lines.sales_value,
        lines.shelf_value,
        lines.retail_disc,
        lines.coupon_disc,
        lines.coupon_match_disc,
        lines._batch
    from {{ ref('retail__fct_basket_line') }} as lines
    {%- if since >= 0 %}
    left semi join {{ touched }} as touched on cast(date_trunc('week', lines.date_key) as date) = touched.week_start
    {%- endif %}
    inner join {{ ref('retail__dim_product') }} as products
        on lines.product_hk = products.product_hk
        and lines.sold_at >= products.valid_from
        and lines.sold_at < coalesce(products.valid_to, timestamp '9999-12-31')
    {%- if since >= 0 %}
    where
        lines.sold_month between trunc({{ first }}, 'month') and date_add({{ last }}, 6)
        and lines.date_key between {{ first }} and date_add({{ last }}, 6)
    {%- endif %}
{%- endset %}
{%- set weekly -%}
    select
        week_start,
        department,
        store_hk,
        max(store_id) as store_id,
        count(*) as lines,
        count(distinct basket_id) as baskets,
        count(distinct household_hk) as households,
        sum(quantity) as quantity,
        cast(sum(sales_value) as decimal(14, 2)) as sales_value,
        cast(sum(shelf_value) as decimal(14, 2)) as shelf_value,
        cast(sum(retail_disc) as decimal(14, 2)) as retail_disc,
        cast(sum(coupon_disc) as decimal(14, 2)) as coupon_disc,
        cast(sum(coupon_match_disc) as decimal(14, 2)) as coupon_match_disc,
        max(_batch) as _batch
    from ({{ sold }})
    group by week_start, department, store_hk
{%- endset %}
{%- set weekly = cached('weekly', weekly, since) %}

select
    week_start,
    department,
    store_hk,
    store_id,
    lines,
    baskets,
    households,
    quantity,
    sales_value,
    shelf_value,
    retail_disc,
    coupon_disc,
    coupon_match_disc,
    _batch,
    false as _deleted
from {{ weekly }}
{%- if since >= 0 %}
union all
-- keeps a week in scope of which no line is left
select
    week_start,
    cast(null as string) as department,
    cast(null as binary) as store_hk,
    cast(null as bigint) as store_id,
    cast(null as bigint) as lines,
    cast(null as bigint) as baskets,
    cast(null as bigint) as households,
    cast(null as bigint) as quantity,
    cast(null as decimal(14, 2)) as sales_value,
    cast(null as decimal(14, 2)) as shelf_value,
    cast(null as decimal(14, 2)) as retail_disc,
    cast(null as decimal(14, 2)) as coupon_disc,
    cast(null as decimal(14, 2)) as coupon_match_disc,
    cast(null as bigint) as _batch,
    true as _deleted
from {{ touched }} as touched
{%- endif %}
