"""A source whose numbers grow: nothing is lost, a wider type is proposed, silver follows it."""

from __future__ import annotations

import pytest

from lakehouse.storage.tables import TableName, Tables
from operations.authoring.propose import propose
from operations.quarantine_replay import replay
from pipeline.run import run_layers
from tests import orders

pytestmark = pytest.mark.spark

LARGE = 3_000_000_000
SATELLITE, QUARANTINE, HUB = (
    TableName("silver", name)
    for name in ("shop__sat_placed", "shop__orders_quarantine", "shop__hub_customer")
)


def narrow():
    """Return the contract of orders with customers and amounts that are too narrow."""
    document = orders.document()
    _, customer, amount, _ = document["schema"][0]["properties"]
    customer["physicalType"], amount["physicalType"] = "int", "decimal(4,2)"
    return document


def types(tables, name):
    return {field.name: field.type.type for field in tables.open(name).schema().fields
            if isinstance(getattr(field.type, "type", None), str)}  # fmt: skip


def test_a_type_that_widens_is_followed(catalog, settings):
    """Kept as text, quarantined with its value, proposed, replayed; then new rows go straight through."""
    path = orders.write_contract(settings.contracts, narrow())
    tables = Tables.at(settings)

    def land(number, customer, amount):
        row = orders.order(number, customer=customer, amount=amount)
        orders.land_events(
            settings, f"{number}.jsonl", [orders.event("c", 1, row, transaction=number)]
        )
        run_layers(settings, "shop", ("bronze", "silver"))

    land(1, 7, "5.00")
    land(2, LARGE, "123456.78")
    (rejected,) = tables.rows(QUARANTINE)
    assert {f["rule"] for f in rejected["failures"]} == {"type int", "type decimal(4,2)"}
    (proposal,) = propose(settings, "shop", write=True)
    assert {c["column"]: c["type"] for c in proposal["columns"]} == {
        "customer_id": "bigint", "amount": "decimal(18,2)"
    }  # fmt: skip
    assert "version: 1.1.0" in path.read_text()

    assert replay(settings, "shop")["datasets"][0]["replayed"] == 1
    land(3, LARGE + 1, "-0.5")
    land(4, LARGE + 2, "99999999.99")
    rows = {
        row["order_id"]: (row["customer_id"], str(row["amount"])) for row in tables.rows(SATELLITE)
    }
    assert rows == {
        1: (7, "5.00"), 2: (LARGE, "123456.78"), 4: (LARGE + 2, "99999999.99")
    }  # fmt: skip
    wanted = {"customer_id": "long", "amount": "decimal(18,2)"}
    assert {c: types(tables, SATELLITE)[c] for c in wanted} == wanted
    assert types(tables, HUB)["customer_id"] == "long"
    assert {row["customer_id"] for row in tables.rows(HUB)} == {None, 7, LARGE, LARGE + 2}
    assert [row["status"] for row in tables.rows(QUARANTINE)].count("replayed") == 1
