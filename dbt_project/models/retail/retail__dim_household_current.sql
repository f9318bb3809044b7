-- One row is one household as it is known today.
{{ config(materialized='view') }}
{{ current_members(ref('retail__dim_household')) }}
