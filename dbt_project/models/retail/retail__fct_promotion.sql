-- One row is one placement of a product in a store in a week: on display, in the mailer, or both.
-- A view: placements are never changed, so the link in silver already is the fact, and a copy
-- would write most of the warehouse's rows a second time for no new column.
{{ config(materialized='view') }}

select
    product_hk,
    store_hk,
    product_id,
    store_id,
    week as retail_week,
    display_location,
    mailer_location,
    display_location <> '0' as is_on_display,
    mailer_location <> '0' as is_in_mailer,
    _origin as origin,
    _batch
from {{ source('silver', 'retail__lnk_promotion') }}
