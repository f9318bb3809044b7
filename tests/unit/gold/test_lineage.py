"""Lineage of columns from the SQL of gold: where a model's columns come from."""

from __future__ import annotations

from gold.lineage import Origin, origins
from lakehouse.settings import PROJECT, Settings
from tests.integration.gold.toy import settings_of


def test_a_columns_origins_are_the_columns_it_is_computed_from(tmp_path):
    """Through common table expressions, unions and macros; a join's key is no origin of another column."""
    settings = settings_of(tmp_path)
    mart = origins(settings, "toy", "toy__mart_shelf")
    assert Origin("price", "gold.toy__fct_item", "price") in mart
    assert {origin.table for origin in mart if origin.column == "shelf"} == {
        "gold.toy__fct_item", "silver.toy__sat_item",
    }  # fmt: skip
    assert {origin.origin for origin in mart if origin.column == "_batch"} == {"_batch"}


def test_a_mart_of_the_project_is_followed_to_its_fact():
    """A sum over a join: the sales of a week come from the sales of its lines."""
    settings = Settings(dbt_project=PROJECT / "dbt_project")
    mart = origins(settings, "retail", "retail__mart_sales_week")
    assert [origin for origin in mart if origin.column == "sales_value"] == [
        Origin("sales_value", "gold.retail__fct_basket_line", "sales_value")
    ]
    assert {origin.table for origin in mart if origin.column == "department"} == {
        "gold.retail__dim_product"
    }
