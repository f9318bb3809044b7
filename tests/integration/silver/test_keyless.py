"""Rows without a key are a multiset: equal rows count, whatever the order of the log."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from contracts.errors import ContractError
from contracts.parsing.load import load_domain
from lakehouse.storage.catalog import register
from lakehouse.storage.tables import TableName, Tables
from pipeline.run import run_layers
from tests import orders

pytestmark = pytest.mark.spark

VIEW = TableName("silver", "shop__sat_scan_current")
HISTORY = TableName("silver", "shop__sat_scan_history")


def contract():
    """The contract of scans at a till: what was scanned, how often; no column tells two apart."""
    document = orders.document()
    [table] = document["schema"]
    properties = [
        {"name": "item", "logicalType": "string", "physicalType": "string", "required": True},
        {
            "name": "pieces",
            "logicalType": "integer",
            "physicalType": "int",
            "logicalTypeOptions": {"minimum": 1},
        },
    ]
    custom = [
        {
            "property": "capture",
            "value": [
                {"method": "debezium", "format": "debezium-json", "path": "orders/changes/*.jsonl"}
            ],
        },
        {"property": "vault", "value": {"satellite": "scan"}},
    ]
    schema = [table | {"name": "scans", "properties": properties}]
    return document | {"id": "shop-scans", "schema": schema, "customProperties": custom}


def scan(item, pieces=1):
    return {"item": item, "pieces": pieces}


def event(op, transaction, after=None, before=None):
    return orders.event(op, 1, after, before, transaction=transaction)


LOG = [
    event("c", 1, scan("milk")),
    event("c", 2, scan("milk")),
    event("c", 3, scan("bread")),
    event("u", 4, scan("milk", 2), scan("milk")),
    event("u", 5, scan("bread"), scan("bread")),
    event("d", 6, None, scan("milk")),
    event("c", 7, scan("milk")),
    event("c", 8, scan("milk")),
    event("c", 9, scan("tea", 0)),  # breaks the contract
    event("u", 10, scan("tea", 3), scan("tea", 0)),  # mends it: what it replaces never counted
    event("u", 11, scan("bread", -1), scan("bread")),  # breaks it: the row stays as it was
]
END = Counter({("milk", 1): 2, ("milk", 2): 1, ("bread", 1): 1, ("tea", 3): 1})


@pytest.fixture
def shop(catalog, settings):
    """Settings of an empty home with the contract of scans."""
    orders.write_contract(settings.contracts, contract())
    return settings


def carried(shop, *files):
    """Land files one run each; return the steps of silver."""
    steps = []
    for number, events in enumerate(files):
        orders.land_events(shop, f"{number}.jsonl", events)
        steps += run_layers(shop, "shop", ("bronze", "silver")).steps
    return [step for step in steps if step.layer == "silver"]


def current(spark, shop):
    register(spark, shop, [VIEW])
    return Counter((row["item"], row["pieces"]) for row in spark.table(str(VIEW)).collect())


def test_equal_rows_count(shop, catalog):
    """An insert adds a copy, a delete takes one, an update does both; what is bad does neither."""
    [step] = carried(shop, LOG)
    assert current(catalog, shop) == END
    assert (step.input, step.valid, step.quarantined) == (len(LOG), 9, 2)


def test_history_counts_copies(shop, catalog):
    """Each span says how many equal rows there were; an update that changes nothing makes none."""
    carried(shop, LOG)
    register(catalog, shop, [HISTORY])
    found = catalog.sql(f"select * from {HISTORY} order by item, pieces, _sequence").collect()
    copies = [
        (r["copies"], r["is_current"]) for r in found if (r["item"], r["pieces"]) == ("milk", 1)
    ]
    assert [n for n, _ in copies] == [1, 2, 1, 0, 1, 2]
    assert [at for at, (_, last) in enumerate(copies) if last] == [5]
    assert [r["copies"] for r in found if r["item"] == "bread"] == [1]


@pytest.mark.parametrize("seed", [1, 2])
def test_any_order_repetition_and_split_counts_the_same(shop, catalog, seed):
    """A repeated event is one event, equal events at two places are two."""
    chance = random.Random(seed)
    events = LOG + chance.sample(LOG, 5)
    chance.shuffle(events)
    carried(shop, events[:6], events[6:11], events[11:])
    assert current(catalog, shop) == END


@pytest.mark.parametrize("order", [1, -1])
def test_a_truncate_takes_all_that_was_before(shop, catalog, order):
    """Copies from before a truncate are gone, also those that come to light after it."""
    log = [
        event("c", 1, scan("milk")),
        event("t", 2),
        event("c", 3, scan("milk")),
        event("c", 4, scan("milk")),
    ]
    carried(shop, *[[entry] for entry in log[::order]])
    assert current(catalog, shop) == Counter({("milk", 1): 2})
    register(catalog, shop, [HISTORY])
    found = catalog.sql(f"select copies from {HISTORY} order by _sequence").collect()
    assert [row["copies"] for row in found] == [1, 0, 1, 2]


def test_a_large_batch_counts_alike(shop, catalog, monkeypatch):
    """What is too much for memory is counted by Spark, with the same result."""
    monkeypatch.setattr("silver.small_batch.ROWS", 0)
    steps = carried(shop, LOG[:5], [*LOG[3:], LOG[0]])
    assert current(catalog, shop) == END
    assert [step.superseded for step in steps] == [0, 3]
    assert Tables.at(shop).exists(TableName("silver", "shop__scans_quarantine"))


def test_hubs_and_keys_go_together(settings):
    """A hub without a key, or a key without a hub, is an error that names the file."""
    document = contract()
    document["customProperties"][1]["value"]["hubs"] = {"item": ["item"]}
    path = orders.write_contract(settings.contracts, document)
    with pytest.raises(ContractError, match=rf"{path.name}:\d+: .*needs a primary key"):
        load_domain(settings.contracts, "shop")
