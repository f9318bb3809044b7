"""Cross-row rules are validated on what would be current, before a batch is committed."""

from __future__ import annotations

import pytest
import yaml

from lakehouse.errors import ContractBreach
from lakehouse.storage.tables import TableName, Tables
from pipeline.run import run_layers
from silver import small_batch
from tests import orders

pytestmark = pytest.mark.spark
UNIQUE = {
    "type": "custom",
    "engine": "pandera",
    "implementation": {"check": "unique", "columns": ["customer_id", "status"]},
}


@pytest.fixture
def shop(catalog, settings):
    """Settings of an empty home."""
    return settings


def unique(settings, **changes):
    """Write the contract of orders with (customer_id, status) unique."""
    document = orders.document()
    document["schema"][0]["quality"] = [UNIQUE | changes]
    orders.write_contract(settings.contracts, document)


def refer(settings, severity, *quality):
    """Write the contracts of orders and of the customers to whom they refer."""
    document = orders.document()
    document["schema"][0]["quality"] = list(quality)
    document["schema"][0]["properties"][1]["relationships"] = [
        {
            "to": "customers.customer_id",
            "customProperties": [{"property": "severity", "value": severity}],
        }
    ]
    orders.write_contract(settings.contracts, document)
    key = {"primaryKey": True, "primaryKeyPosition": 1}
    column = {
        "name": "customer_id",
        "logicalType": "integer",
        "physicalType": "bigint",
        **key,
    }
    city = {"name": "city", "logicalType": "string", "physicalType": "string"}
    capture = [{"method": "debezium", "format": "debezium-json", "path": "customers/*.jsonl"}]
    customers = document | {
        "id": "shop-customers",
        "schema": [{"name": "customers", "logicalType": "object", "properties": [column, city]}],
        "customProperties": [
            {"property": "capture", "value": capture},
            {
                "property": "vault",
                "value": {"hubs": {"customer": ["customer_id"]}, "satellite": "customer"},
            },
        ],
    }
    path = settings.contracts / "shop" / "customers.yaml"
    path.write_text(yaml.safe_dump(customers, sort_keys=False), encoding="utf-8")


def land_customers(settings, *events):
    path = orders.land_events(settings, "x.jsonl", events)
    folder = settings.landing / "shop" / "customers"
    folder.mkdir(parents=True, exist_ok=True)
    path.rename(folder / f"{len(list(folder.iterdir()))}.jsonl")


def run(settings):
    """Carry what is new into silver; return the messages of the steps."""
    steps = run_layers(settings, "shop", ("bronze", "silver")).steps
    return [step.message for step in steps if step.message]


def events(settings):
    """Return (order, place) of the stored events."""
    rows = Tables.at(settings).rows(TableName("silver", "shop__sat_placed"))
    return sorted((row["order_id"], row["_sequence"]) for row in rows)


def test_a_batch_with_duplicated_values_waits_for_its_correction(shop):
    """It is blocked whole; with the correction it is loaded, as if both had come at once."""
    unique(shop)
    first = orders.event("c", 1, orders.order(1), transaction=1)
    second = orders.event("c", 1, orders.order(2), transaction=2)
    corrected = orders.event("u", 1, orders.order(2, status="paid"), transaction=3)
    orders.land_events(shop, "a.jsonl", [first])
    assert run(shop) == []
    before = events(shop)
    orders.land_events(shop, "b.jsonl", [second])
    for _ in range(2):
        with pytest.raises(ContractBreach, match=r"unique customer_id, status: 2 rows") as caught:
            run(shop)
        assert "shop__sat_placed stays as it is" in str(caught.value)
        assert events(shop) == before
    orders.land_events(shop, "c.jsonl", [corrected])
    assert run(shop) == []
    assert len(events(shop)) == 3


def test_only_current_rows_count(shop):
    """A value that was given up, by a change or a delete, is free; a null is no value."""
    unique(shop)
    log = [
        orders.event("c", 1, orders.order(1), transaction=1),
        orders.event("u", 1, orders.order(1, status="paid"), transaction=2),
        orders.event("c", 1, orders.order(2), transaction=3),
        orders.event("d", 1, None, {"order_id": 2}, transaction=4),
        orders.event("c", 1, orders.order(3), transaction=5),
        orders.event("c", 1, orders.order(4, status=None), transaction=6),
        orders.event("c", 1, orders.order(5, status=None), transaction=7),
    ]
    # A delete before what it deletes: what is current does not depend on what arrives last.
    for name, part in (("delete", log[3:5]), ("rest", log)):
        orders.land_events(shop, f"{name}.jsonl", part)
        assert run(shop) == []
    assert len(events(shop)) == len(log)


def test_violations_of_severity_warning_are_reported_and_pass(shop):
    """A warning stops nothing: the rows are loaded, and the step has its messages."""
    refer(shop, "warning", UNIQUE | {"severity": "warning", "name": "one_open_order"})
    land_customers(shop, orders.event("c", 1, {"customer_id": 1, "city": "x"}))
    log = [orders.event("c", place, orders.order(place), transaction=2) for place in (1, 2, 3)]
    log.append(orders.event("c", 4, orders.order(4, customer=8), transaction=2))
    orders.land_events(shop, "a.jsonl", log)
    (message,) = run(shop)
    duplicated, orphan = message.split("; ")
    assert duplicated.startswith("one_open_order: 3 rows, such as the one with the key ")
    assert orphan.startswith("customer_id in customers: 1 rows, such as the one with the key ")
    assert len(events(shop)) == 4


def test_a_large_batch_is_validated_before_it_is_written(shop, monkeypatch):
    """It is blocked whole as a small one is, and loaded with its correction."""
    monkeypatch.setattr(small_batch, "ROWS", -1)
    unique(shop)
    log = [orders.event("c", place, orders.order(place), transaction=1) for place in (1, 2)]
    orders.land_events(shop, "a.jsonl", log)
    with pytest.raises(ContractBreach, match=r"unique customer_id, status: 2 rows"):
        run(shop)
    assert events(shop) == []
    corrected = orders.event("u", 1, orders.order(2, status="paid"), transaction=2)
    orders.land_events(shop, "b.jsonl", [corrected])
    assert run(shop) == []
    assert len(events(shop)) == 3


def test_an_order_waits_for_its_customer(shop):
    """A reference of severity error blocks the batch until the counterpart comes, in any order."""
    refer(shop, "error")
    orders.land_events(shop, "a.jsonl", [orders.event("c", 1, orders.order(1), transaction=2)])
    with pytest.raises(ContractBreach, match="customer_id in customers: 1 rows"):
        run(shop)
    assert events(shop) == []
    land_customers(shop, orders.event("c", 1, {"customer_id": 1, "city": "x"}))
    assert run(shop) == []
    assert len(events(shop)) == 1
