"""Silver gates each event once and loads a vault that no order or repetition changes."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from lakehouse.storage.catalog import register
from lakehouse.storage.tables import TableName, Tables
from pipeline.run import run_layers
from tests import orders

pytestmark = pytest.mark.spark

AUDIT = ("_batch", "quarantined_at")


@pytest.fixture
def shop(catalog, settings):
    """Settings of an empty home with the contract of orders."""
    orders.write_contract(settings.contracts)
    return settings


def rows(settings, table):
    """Return a silver table's rows without audit columns, in a stable order."""
    found = Tables.at(settings).read(TableName("silver", f"shop__{table}"))
    plain = [] if found is None else found.to_pylist()
    plain = [{k: v for k, v in row.items() if k not in AUDIT} for row in plain]
    return sorted(plain, key=repr)


def view(spark, settings, name):
    """Return the rows of a silver view, ordered by key and start."""
    table = TableName("silver", f"shop__{name}")
    assert register(spark, settings, [table]) == [table]
    order = "order_id, valid_from, _sequence" if name.endswith("history") else "order_id"
    return spark.sql(f"select * from {table} order by {order}").collect()


LOG = [
    orders.event("c", 1, orders.order(1), transaction=1),
    orders.event("c", 2, orders.order(2, customer=8), transaction=1),
    orders.event("u", 1, orders.order(1, status="paid"), transaction=2),
    orders.event("u", 1, orders.order(1, status="open"), transaction=3),
    orders.event("u", 1, orders.order(2, customer=8), transaction=4),
    orders.event("d", 1, None, {"order_id": 2}, transaction=5),
    orders.event("c", 1, orders.order(2, customer=9, amount="7"), transaction=6),
    orders.event("c", 1, orders.order(3, amount="-1"), transaction=7),
]


def test_every_row_is_valid_quarantined_or_superseded(shop):
    """The counts of the gate add up to its input, and each rejected row has all its reasons."""
    bad = orders.event(
        "c", 1, orders.order(4, customer=None, amount="-2", status="lost"), transaction=8
    )
    orders.land_events(shop, "a.jsonl", [*LOG, bad, "{torn", LOG[0]])
    step = next(
        s
        for s in run_layers(shop, "shop", ("bronze", "silver")).steps
        if s.input and s.layer == "silver"
    )
    assert (step.input, step.valid, step.quarantined, step.superseded) == (11, 7, 3, 1)
    reasons = [
        {(f["column"], f["rule"]) for f in row["failures"]}
        for row in rows(shop, "orders_quarantine")
    ]
    minimum = "greater_than_or_equal_to"
    assert {("amount", minimum)} in reasons
    assert {("customer_id", "required"), ("amount", minimum), ("status", "isin")} in reasons
    assert {("_line", "unreadable")} in reasons


def test_cleansing_comes_before_the_gate(shop):
    """Text is trimmed, put in its case and freed of null tokens, then judged."""
    events = [
        orders.event("c", 1, orders.order(1, status=" PAID ")),
        orders.event("c", 2, orders.order(2, status="n/a")),
    ]
    orders.land_events(shop, "a.jsonl", events)
    run_layers(shop, "shop", ("bronze", "silver"))
    assert [
        row["status"] for row in sorted(rows(shop, "sat_placed"), key=lambda r: r["order_id"])
    ] == ["paid", None]


def test_history_is_in_source_order(shop, catalog):
    """A to B to A is three spans, an update that changes nothing none, a delete is a fact."""
    orders.land_events(shop, "a.jsonl", LOG)
    run_layers(shop, "shop", ("bronze", "silver"))
    history = view(catalog, shop, "sat_placed_history")
    assert [r["status"] for r in history if r["order_id"] == 1] == ["open", "paid", "open"]
    second = [
        (r["customer_id"], r["is_deleted"], r["is_current"]) for r in history if r["order_id"] == 2
    ]
    assert second == [(8, False, False), (None, True, False), (9, False, True)]
    spans = [(r["valid_from"], r["valid_to"]) for r in history if r["order_id"] == 1]
    assert spans[0][1] == spans[1][0]
    assert spans[2][1] is None
    current = view(catalog, shop, "sat_placed_current")
    assert [(r["order_id"], r["status"], r["customer_id"]) for r in current] == [
        (1, "open", 1),
        (2, "open", 9),
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_order_repetition_and_split_gives_the_same_vault(shop, catalog, tmp_path, seed):
    """Shuffled, repeated and split over several runs, the log gives the same tables and views."""
    orders.land_events(shop, "a.jsonl", LOG)
    run_layers(shop, "shop", ("bronze", "silver"))
    names = ("hub_order", "hub_customer", "lnk_placed", "sat_placed")
    expected = {name: rows(shop, name) for name in names}
    spans = [tuple(r)[:-1] for r in view(catalog, shop, "sat_placed_history")]
    catalog.sql("drop database silver cascade")

    from lakehouse.settings import Settings

    other = Settings(
        home=tmp_path / "other", contracts=shop.contracts, dbt_project=shop.dbt_project
    )
    chance = random.Random(seed)
    log = LOG * 2
    chance.shuffle(log)
    cuts = sorted(chance.sample(range(1, len(log)), 2))
    for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(log)], strict=True)):
        orders.land_events(other, f"{number}.jsonl", log[start:end])
        run_layers(other, "shop", ("bronze", "silver"))
    assert {name: rows(other, name) for name in names} == expected
    assert len(spans) == len(view(catalog, other, "sat_placed_history"))


def test_hubs_hold_the_ghost_and_each_key_once(shop):
    """A hub has one row a business key and the ghost row, to which unknown members point."""
    orders.land_events(shop, "a.jsonl", LOG)
    run_layers(shop, "shop", ("bronze", "silver"))
    customers = {row["customer_id"]: row["customer_hk"] for row in rows(shop, "hub_customer")}
    assert set(customers) == {None, 1, 8, 9}
    assert customers[None] == bytes(32)
    deleted = next(row for row in rows(shop, "sat_placed") if row["_op"] == "d")
    assert deleted["customer_hk"] == bytes(32)


def test_two_contents_for_one_key_and_position_are_a_contradiction(shop):
    """Equal rows of a snapshot are superseded; rows that contradict each other are quarantined."""
    orders.land_snapshot(
        shop,
        "part.parquet",
        {
            "order_id": pa.array([1, 1, 2, 2], pa.int64()),
            "customer_id": pa.array([7, 7, 7, 8], pa.int64()),
            "amount": pa.array(["1", "1", "1", "1"]),
            "status": pa.array(["open"] * 4),
        },
    )
    step = next(
        s
        for s in run_layers(shop, "shop", ("bronze", "silver")).steps
        if s.input and s.layer == "silver"
    )
    assert (step.valid, step.superseded, step.quarantined) == (2, 1, 1)
    assert [f["rule"] for row in rows(shop, "orders_quarantine") for f in row["failures"]] == [
        "unique"
    ]


def test_a_column_that_the_contract_adopts_later_is_read_in_its_type(shop):
    """An unknown column is text in bronze; once the contract names it, silver casts and judges it."""
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
    step = next(
        s
        for s in run_layers(shop, "shop", ("bronze", "silver")).steps
        if s.input and s.layer == "silver"
    )
    assert (step.valid, step.quarantined) == (1, 1)
    assert [row["score"] for row in rows(shop, "sat_placed")] == [4]
