-- One row is one campaign as it is known today.
{{ config(materialized='view') }}
{{ current_members(ref('retail__dim_campaign')) }}
