-- One row is one order as it stands.
{{ config(unique_key='placed_hk') }}
{% set since = watermark() %}

with latest as (
    select
        placed_hk,
        max_by(struct(customer_hk, id, customer_id, amount, placed_at, _op), _sequence) as placed,
        max(_batch) as _batch
    from ({{ touched_events(source('silver', 'proof__sat_placed'), 'placed_hk', since) }})
    group by placed_hk
)

select
    placed_hk,
    placed.customer_hk,
    placed.id,
    placed.customer_id,
    placed.amount,
    placed.placed_at,
    _batch,
    placed._op = 'd' as _deleted
from latest
