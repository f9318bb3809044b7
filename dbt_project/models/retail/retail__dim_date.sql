-- One row is one day of the stores' calendar, 2000 to 2030.
-- Retail weeks begin on Monday; the week that holds 1 January is the year's first, so 2017 has 53.
{{ config(unique_key='date_key') }}
{% set since = watermark() %}

with days as (
    select explode(sequence(date '2000-01-01', date '2030-12-31')) as date_key
),

weeks as (
    select
        date_key,
        cast(date_trunc('week', date_key) as date) as week_start
    from days
),

years as (
    select
        date_key,
        week_start,
        year(date_add(week_start, 6)) as retail_year
    from weeks
)

select
    date_key,
    year(date_key) as calendar_year,
    quarter(date_key) as calendar_quarter,
    month(date_key) as calendar_month,
    cast(date_trunc('month', date_key) as date) as month_start,
    day(date_key) as day_of_month,
    weekday(date_key) + 1 as iso_weekday,
    date_format(date_key, 'EEEE') as weekday_name,
    weekday(date_key) >= 5 as is_weekend,
    retail_year,
    cast(
        datediff(week_start, cast(date_trunc('week', make_date(retail_year, 1, 1)) as date)) / 7 + 1 as int
    ) as retail_week,
    week_start,
    {{ local_midnight('date_key', 'America/New_York') }} as starts_at,
    {{ local_midnight('date_add(date_key, 1)', 'America/New_York') }} as ends_at,
    0L as _batch,
    false as _deleted
from years
{% if since >= 0 %} where false {% endif %}
