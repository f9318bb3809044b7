"""What is derived from a contract: descriptions of its tables, DDL, dbt sources and models, its suite."""

from __future__ import annotations

import pytest

from contracts.compilers import table_descriptions
from contracts.compilers.dbt_yaml import models, sources
from contracts.compilers.ddl import create, ddl
from contracts.compilers.expectation_suite import suite, suite_document
from contracts.compilers.table_descriptions import tables
from contracts.errors import ContractError
from contracts.model.contract import Capture, Column, Contract, Hub, Vault
from contracts.model.rules import Rule

ID = Column("order_id", "bigint", "Number of the order.", required=True, key=1)
CUSTOMER = Column("customer_id", "bigint", "Who ordered.", classification="personal")
AMOUNT = Column("amount", "decimal(10,2)", "What was paid.", unit="EUR")
HUBS = (
    Hub("order", ("order_id",), ("order_id",)),
    Hub("customer", ("customer_id",), ("customer_id",)),
)
RULES = (
    Rule("order_id", "required"),
    Rule("amount", "greater_than_or_equal_to", {"min_value": 0}),
    Rule("amount", "isin", {"allowed_values": [1, 2]}, "warning"),
)


def contract(**parts):
    """Return a contract with parts replaced: by default two hubs, a link and a satellite."""
    given = {
        "columns": (ID, CUSTOMER, AMOUNT), "rules": RULES, "description": "One row is one order.",
        "capture": (Capture("files", "orders/*.parquet", "parquet"),),
        "vault": Vault(HUBS, link="placed", satellite="placed"), "file": "shop/orders.yaml",
    }  # fmt: skip
    named = {
        "domain": "shop",
        "dataset": "orders",
        "version": "1.2.0",
        "status": "active",
        "owner": "",
    }
    return Contract(**named, **(given | parts))


def names(of):
    return [table.name.removeprefix("silver.shop__") for table in tables(of)]


@pytest.mark.parametrize(
    ("parts", "made"),
    [
        ({}, ["bronze.shop__orders", "hub_order", "hub_customer", "lnk_placed", "sat_placed",
              "orders_quarantine", "sat_placed_history", "sat_placed_current"]),
        ({"vault": Vault(HUBS[:1], satellite="orders")},
         ["bronze.shop__orders", "hub_order", "sat_orders", "orders_quarantine", "sat_orders_history",
          "sat_orders_current"]),
        ({"vault": Vault(HUBS, link="placed", historized=False)},
         ["bronze.shop__orders", "hub_order", "hub_customer", "lnk_placed", "orders_quarantine"]),
        ({"vault": None}, ["bronze.shop__orders"]),
        ({"vault": None, "capture": ()}, []),
        ({"score": {"table": "scores"}}, ["platinum.shop__scores"]),
    ],
)  # fmt: skip
def test_a_contract_makes_these_tables(parts, made):
    """Bronze, hubs, a link of several hubs, the events, the quarantine, and views over the events."""
    assert names(contract(**parts)) == made


def test_events_have_keys_columns_and_audit_columns_in_this_order():
    """Only what the gate makes is never null: a delete carries its key alone."""
    events = table_descriptions.events(contract())
    assert [column.name for column in events.columns] == [
        "placed_hk", "order_hk", "customer_hk", "order_id", "customer_id", "amount", "_hashdiff",
        "_op", "_sequence", "_source_ts", "_origin", "_flags", "_batch",
    ]  # fmt: skip
    assert events.required == {"placed_hk", "order_hk", "customer_hk", "order_id", "_op", "_batch"}


def test_comments_have_the_unit_and_the_classification():
    """A reader of the table sees both without the contract."""
    comments = table_descriptions.bronze(contract()).comments
    assert comments["amount"] == "What was paid. [EUR]"
    assert comments["customer_id"] == "Who ordered. (personal)"


def test_ddl_creates_every_table_and_no_view():
    """One statement a stored table, quotes in comments escaped, safe to run again."""
    statements = ddl(contract()).split("\n\n")
    assert len(statements) == 6
    assert all(text.startswith("create table if not exists ") for text in statements)
    quoted = Column("note", "string", "The buyer's 'own' words.\nAll of them.")
    text = create(table_descriptions.bronze(contract(columns=(quoted,), rules=())))
    assert r"`note`" in text
    assert r"comment 'The buyer\'s \'own\' words. All of them.'" in text


def test_dbt_sources_are_the_tables_that_sql_reads_with_their_tests():
    """A source has its contract, columns and tests; rules hold for rows that are no deletes."""
    read = ["silver.shop__sat_placed", "silver.shop__hub_order"]
    (silver,) = sources({"orders": contract()}, read)["sources"]
    assert [table["name"] for table in silver["tables"]] == ["shop__hub_order", "shop__sat_placed"]
    events = silver["tables"][1]
    assert events["config"]["meta"] == {"contract": "shop/orders.yaml", "version": "1.2.0"}
    tests = {column["name"]: column.get("data_tests", []) for column in events["columns"]}
    alive = {"where": "_op not in ('d', 't')", "tags": ["contract"]}
    assert tests["order_id"] == [{"not_null": {"config": alive}}]
    accepted = {
        "arguments": {"values": [1, 2], "quote": False},
        "config": alive | {"severity": "warn"},
    }
    assert tests["amount"] == [{"accepted_values": accepted}]
    to = {"to": "source('silver', 'shop__hub_order')", "field": "order_hk"}
    assert tests["order_hk"][1] == {
        "relationships": {"arguments": to, "config": {"tags": ["contract"]}}
    }
    assert tests["customer_hk"] == [
        {"not_null": {"config": {"tags": ["contract"]}}}
    ]  # its hub is not read
    classified = next(column for column in events["columns"] if column["name"] == "customer_id")
    assert classified["config"] == {"meta": {"classification": "personal"}}


def test_sql_that_reads_a_table_without_a_contract_is_refused():
    """Every table that no contract makes is named."""
    with pytest.raises(ContractError, match=r"reads silver\.shop__gone, which no contract makes"):
        sources({"orders": contract()}, ["silver.shop__gone", "silver.shop__sat_placed"])


def test_a_feature_set_is_a_dbt_model_with_its_audit():
    """The key is entity and timestamp unless the contract has another; references are tables of the domain."""
    features = {
        "table": "feat_day", "entity": ("order_id",), "timestamp": "day",
        "audit": {"references": [{"column": "customer_id", "to": "dim_customer"}], "expressions": {"paid": "amount > 0"}},
    }  # fmt: skip
    of = contract(
        features=features, rules=(Rule("order_id", "required"), Rule("amount", "required"))
    )
    (model,) = models({"orders": of, "others": contract()})["models"]
    assert model["name"] == "shop__feat_day"
    (test,) = model["data_tests"]
    assert test["audited"]["arguments"] == {
        "key": ["order_id", "day"], "required": ["amount"], "expressions": {"paid": "amount > 0"},
        "references": [{"column": "customer_id", "to": "shop__dim_customer"}],
    }  # fmt: skip
    assert model["columns"][-1]["name"] == "_batch"


def test_a_suite_has_each_expectation_once():
    """The key, required columns and rules may ask for the same; the first is kept."""
    made = suite(
        key=["id"],
        required=["id", "name"],
        rules=[Rule("name", "required"), Rule("id", "required")],
    )
    assert [(item.type.removeprefix("expect_column_values_to_"), item.columns) for item in made.expectations] == [
        ("not_be_null", ("id",)), ("not_be_null", ("name",)), ("be_unique", ("id",)),
    ]  # fmt: skip


def test_a_suite_document_is_plain_json():
    """Columns first, then the key, then the rules; dates are text, severities Great Expectations' own."""
    day = Column("day", "date")
    document = suite_document(
        contract(
            columns=(ID, day),
            rules=(Rule("day", "less_than", {"max_value": "2024-01-02"}, "warning"),),
        )
    )
    columns, *rest = document["expectations"]
    assert columns["kwargs"] == {"column_set": ["order_id", "day"], "exact_match": False}
    assert rest[-1] == {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "day", "max_value": "2024-01-02", "strict_max": True},
        "severity": "warning", "meta": {"rule": "less_than"},
    }  # fmt: skip
    assert document["meta"] == {"contract": "shop/orders.yaml", "version": "1.2.0", "left_out": []}
