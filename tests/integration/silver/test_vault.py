"""Silver gates each event once and loads a vault that no order or repetition changes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest

from lakehouse.settings import Settings
from lakehouse.storage.catalog import register
from lakehouse.storage.tables import TableName, Tables
from pipeline.run import run_layers
from tests import orders

pytestmark = pytest.mark.spark

AUDIT = ("_batch", "quarantined_at")
VAULT = ("hub_order", "hub_customer", "lnk_placed", "sat_placed")
VIEWS = ("sat_placed_history", "sat_placed_current")
MINIMUM = "greater_than_or_equal_to"
LOG = [
    orders.event("c", 1, orders.order(1), transaction=1),
    orders.event("c", 2, orders.order(2, customer=8), transaction=1),
    orders.event("u", 1, orders.order(1, status="paid"), transaction=2),
    orders.event("u", 1, orders.order(1, status="open"), transaction=3),
    orders.event("u", 1, orders.order(2, customer=8), transaction=4),
    orders.event("d", 1, None, {"order_id": 2}, transaction=5),
    orders.event("c", 1, orders.order(2, customer=9, amount="7"), transaction=6),
    orders.event("c", 1, orders.order(3, amount="-1"), transaction=7),
    orders.event("c", 1, orders.order(4, customer=None, amount="-2", status="lost"), transaction=8),
    orders.event("c", 1, orders.order(5, status=" PAID "), transaction=9),
    orders.event("c", 2, orders.order(6, status="n/a"), transaction=9),
]
# Order 11 twice alike, order 12 with two contents at one position
SNAPSHOT = {
    "order_id": pa.array([11, 11, 12, 12], pa.int64()),
    "customer_id": pa.array([7, 7, 7, 8], pa.int64()),
    "amount": pa.array(["1"] * 4),
    "status": pa.array(["open"] * 4),
}


def home(folder):
    """Return settings of an empty home with the contract of orders."""
    settings = Settings(
        home=folder / "home", contracts=folder / "contracts", dbt_project=folder / "dbt"
    )
    orders.write_contract(settings.contracts)
    return settings


def rows(settings, table):
    """Return a silver table's rows without audit columns, in a stable order."""
    table = Tables.at(settings).read(TableName("silver", f"shop__{table}"))
    plain = [] if table is None else table.to_pylist()
    plain = [{k: v for k, v in row.items() if k not in AUDIT} for row in plain]
    return sorted(plain, key=repr)


def view(spark, settings, name):
    """Return the rows of a silver view as dicts without audit columns, ordered by key and start."""
    table = TableName("silver", f"shop__{name}")
    assert register(spark, settings, [table]) == [table]
    order = "order_id, valid_from, _sequence" if name.endswith("history") else "order_id"
    ordered = spark.sql(f"select * from {table} order by {order}").collect()
    return [{k: v for k, v in row.asDict().items() if k not in AUDIT} for row in ordered]


@dataclass
class Loaded:
    """A home that loaded the log and the snapshot in one run, and its step of silver."""

    settings: Settings
    step: Any
    views: dict

    def history_of(self, order):
        """Return the spans of an order."""
        return [row for row in self.views["sat_placed_history"] if row["order_id"] == order]


@pytest.fixture(scope="module")
def loaded(spark, tmp_path_factory):
    """The log, a torn line and an event twice, and a snapshot, all in one run."""
    settings = home(tmp_path_factory.mktemp("vault"))
    orders.land_events(settings, "a.jsonl", [*LOG, "{torn", LOG[0]])
    orders.land_snapshot(settings, "part.parquet", SNAPSHOT)
    [step] = [s for s in run_layers(settings, "shop", ("bronze", "silver")).steps
              if s.layer == "silver" and s.input]  # fmt: skip
    views = {name: view(spark, settings, name) for name in VIEWS}
    spark.sql("drop database silver cascade")
    return Loaded(settings, step, views)


def test_every_row_is_valid_quarantined_or_superseded(loaded):
    """The counts of the gate add up to its input, and each rejected row has all its reasons."""
    step = loaded.step
    assert (step.input, step.valid, step.quarantined, step.superseded) == (17, 11, 4, 2)
    reasons = [
        {(f["column"], f["rule"]) for f in row["failures"]}
        for row in rows(loaded.settings, "orders_quarantine")
    ]
    assert len(reasons) == 4
    assert {("amount", MINIMUM)} in reasons
    assert {("customer_id", "required"), ("amount", MINIMUM), ("status", "isin")} in reasons
    assert {("_line", "unreadable")} in reasons
    # of two contents for one key and position it cannot be decided which is true
    assert {("order_id", "unique")} in reasons


def test_cleansing_comes_before_the_gate(loaded):
    """Text is trimmed, put in its case and freed of null tokens, then validated."""
    statuses = {row["order_id"]: row["status"] for row in rows(loaded.settings, "sat_placed")}
    assert (statuses[5], statuses[6]) == ("paid", None)


def test_history_is_in_source_order(loaded):
    """A to B to A is three spans, an update that changes nothing none, a delete is a fact."""
    first = loaded.history_of(1)
    assert [row["status"] for row in first] == ["open", "paid", "open"]
    second = [
        (row["customer_id"], row["is_deleted"], row["is_current"]) for row in loaded.history_of(2)
    ]
    assert second == [(8, False, False), (None, True, False), (9, False, True)]
    assert first[0]["valid_to"] == first[1]["valid_from"]
    assert first[2]["valid_to"] is None
    current = {row["order_id"]: row for row in loaded.views["sat_placed_current"]}
    assert [(current[n]["status"], current[n]["customer_id"]) for n in (1, 2)] == [
        ("open", 1), ("open", 9),
    ]  # fmt: skip
    assert sorted(current) == [1, 2, 5, 6, 11, 12]


def test_hubs_have_the_ghost_and_each_key_once(loaded):
    """A hub has one row a business key and the ghost row, to which unknown members point."""
    members = rows(loaded.settings, "hub_customer")
    customers = {row["customer_id"]: row["customer_hk"] for row in members}
    assert set(customers) == {None, 1, 7, 8, 9}
    assert len(members) == len(customers)
    assert customers[None] == bytes(32)
    [deleted] = [row for row in rows(loaded.settings, "sat_placed") if row["_op"] == "d"]
    assert deleted["customer_hk"] == bytes(32)


def test_any_order_repetition_and_split_gives_the_same_vault(loaded, catalog, tmp_path):
    """Shuffled, repeated and split over several runs, the log gives the same tables and views."""
    other = home(tmp_path)
    chance = random.Random(1)
    log = LOG * 2
    chance.shuffle(log)
    cuts = sorted(chance.sample(range(1, len(log)), 2))
    for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(log)], strict=True)):
        orders.land_events(other, f"{number}.jsonl", log[start:end])
        if number == len(cuts):
            orders.land_snapshot(other, "part.parquet", SNAPSHOT)
        run_layers(other, "shop", ("bronze", "silver"))
    assert {name: rows(other, name) for name in VAULT} == {
        name: rows(loaded.settings, name) for name in VAULT
    }
    assert {name: view(catalog, other, name) for name in VIEWS} == loaded.views


def test_a_column_that_the_contract_adopts_later_is_read_in_its_type(catalog, tmp_path):
    """An unknown column is text in bronze; once the contract names it, silver casts and validates it."""
    shop = home(tmp_path)
    orders.land_events(shop, "a.jsonl", [orders.event("c", 1, orders.order(1, score="4"))])
    run_layers(shop, "shop", ("bronze",))
    document = orders.document(version="1.1.0")
    document["schema"][0]["properties"].append(
        {"name": "score", "logicalType": "integer", "physicalType": "int"}
    )
    orders.write_contract(shop.contracts, document)
    orders.land_events(
        shop, "b.jsonl", [orders.event("c", 2, orders.order(2, score="five"), transaction=101)]
    )
    [step] = [s for s in run_layers(shop, "shop", ("bronze", "silver")).steps
              if s.layer == "silver" and s.input]  # fmt: skip
    assert (step.valid, step.quarantined) == (1, 1)
    assert [row["score"] for row in rows(shop, "sat_placed")] == [4]
