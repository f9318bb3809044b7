-- One row is one product as it is known today.
{{ config(materialized='view') }}
{{ current_members(ref('retail__dim_product')) }}
