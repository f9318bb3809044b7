-- One row is one household and local day of which lines changed in a batch: of a line that was
-- moved or deleted also the day and the household it was booked under before.
-- What is derived from lines reads here what to derive again, instead of searching all events for
-- it once a model. Never rebuild it alone: it starts where the tables that follow it start.
{{ config(unique_key=['household_hk', 'date_key', '_batch']) }}
{% set since = watermark() %}
{% set lines = source('silver', 'retail__sat_basket_line') %}

{%- if since < 0 %}
-- all there is is in the tables already that are built along with this one
select
    {{ unknown_key() }} as household_hk,
    date '1900-01-01' as date_key,
    max(_batch) as _batch,
    false as _deleted
from {{ lines }}
having max(_batch) is not null
{%- else %}
with lines as (
    select
        collect_set(struct(household_hk, {{ local_day('transaction_timestamp', 'America/New_York') }} as date_key)) as bookings,
        max(_batch) as _batch
    from ({{ touched_events(lines, 'basket_line_hk', since, within='basket_id bigint') }})
    where transaction_timestamp is not null or _op = 'd'
    group by basket_line_hk
),

bookings as (
    select
        explode(bookings) as booking,
        _batch
    from lines
)

select distinct
    booking.household_hk,
    booking.date_key,
    _batch,
    false as _deleted
from bookings
where booking.date_key is not null and booking.household_hk <> {{ unknown_key() }}
{%- endif %}
