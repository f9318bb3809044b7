"""Table lineage: edges from contracts and from the SQL of gold."""

from __future__ import annotations

import pytest

from contracts.parsing.load import load_domain
from lakehouse.settings import Settings
from operations.lineage import downstream, full_name, source_tables, table_edges, upstream
from tests import stored_shop

MODELS = {
    "shop__fct_order.sql": """{# ref('shop__old') was read once #}
select * from {{ source('silver', 'shop__sat_order_history') }}
join {{ source("silver", "shop__hub_customer") }} using (customer_hk)
""",
    "shop__mart_city.sql": "select city from {{ ref('shop__fct_order') }}",
}


@pytest.fixture
def settings(tmp_path):
    """Settings of the shop's contracts, and two models over them."""
    folder = tmp_path / "dbt" / "models" / "shop"
    folder.mkdir(parents=True)
    for name, text in MODELS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return Settings(
        home=tmp_path / "home",
        contracts=stored_shop.contracts(tmp_path / "contracts"),
        dbt_project=tmp_path / "dbt",
    )


@pytest.fixture
def edges(settings):
    """The edges of the shop."""
    return table_edges(settings, "shop", load_domain(settings.contracts, "shop"))


def test_edges_are_those_of_contracts_and_models(edges):
    """A view stands for the table it reads; a comment of Jinja is no reference."""
    assert edges == {
        ("source.customers", "bronze.shop__customers"),
        ("source.orders", "bronze.shop__orders"),
        ("bronze.shop__customers", "silver.shop__hub_customer"),
        ("bronze.shop__customers", "silver.shop__sat_customer"),
        ("bronze.shop__orders", "silver.shop__hub_customer"),
        ("bronze.shop__orders", "silver.shop__hub_order"),
        ("bronze.shop__orders", "silver.shop__lnk_order_customer"),
        ("bronze.shop__orders", "silver.shop__sat_order"),
        ("silver.shop__hub_customer", "gold.shop__fct_order"),
        ("silver.shop__sat_order", "gold.shop__fct_order"),
        ("gold.shop__fct_order", "gold.shop__mart_city"),
    }


def test_upstream_and_downstream_are_nearest_first(edges):
    """Level by level, each table once."""
    assert upstream(edges, ["gold.shop__mart_city"]) == [
        "gold.shop__fct_order",
        "silver.shop__hub_customer",
        "silver.shop__sat_order",
        "bronze.shop__customers",
        "bronze.shop__orders",
        "source.customers",
        "source.orders",
    ]
    assert downstream(edges, ["silver.shop__sat_order"]) == [
        "gold.shop__fct_order",
        "gold.shop__mart_city",
    ]
    assert downstream(edges, ["gold.shop__mart_city"]) == []


def test_a_cycle_ends():
    """A table that reads itself is reached once."""
    cycle = {("a", "b"), ("b", "c"), ("c", "b")}
    assert downstream(cycle, ["a"]) == ["b", "c"]


def test_source_tables_are_as_the_sql_names_them(settings):
    """Views stay views, since dbt's sources declare them."""
    assert source_tables(settings, "shop") == [
        "silver.shop__sat_order_history",
        "silver.shop__hub_customer",
    ]


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("scores", "platinum.shop__scores"),
        ("mall__scores", "platinum.mall__scores"),
        ("gold.mall__facts", "gold.mall__facts"),
    ],
)
def test_a_contract_may_leave_out_layer_and_domain(name, full):
    """What is missing is the contract's own."""
    assert full_name("platinum", "shop", name) == full
