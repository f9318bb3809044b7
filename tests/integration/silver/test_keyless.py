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
    """The contract of scans at a till: what was scanned, how often; no column identifies one."""
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


def loaded(shop, *files):
    """Land files one run each; return the steps of silver."""
    steps = []
    for number, events in enumerate(files):
        orders.land_events(shop, f"{number}.jsonl", events)
        steps += run_layers(shop, "shop", ("bronze", "silver")).steps
    return [step for step in steps if step.layer == "silver"]


def current(spark, shop):
    """Return how many current rows there are of each item and number of pieces."""
    register(spark, shop, [VIEW])
    return Counter((row["item"], row["pieces"]) for row in spark.table(str(VIEW)).collect())


def history(spark, shop):
    """Return the spans of the history in the order of items, pieces and positions."""
    register(spark, shop, [HISTORY])
    return spark.sql(f"select * from {HISTORY} order by item, pieces, _sequence").collect()


def test_equal_rows_count_now_and_in_history(shop, catalog):
    """An insert adds a copy, a delete takes one, an update does both; what is bad does neither.

    Each span of the history has its number of equal rows; an update that changes nothing makes none.
    """
    [step] = loaded(shop, LOG)
    assert current(catalog, shop) == END
    assert (step.input, step.valid, step.quarantined) == (len(LOG), 9, 2)
    spans = history(catalog, shop)
    milk = [
        (r["copies"], r["is_current"]) for r in spans if (r["item"], r["pieces"]) == ("milk", 1)
    ]
    assert [copies for copies, _ in milk] == [1, 2, 1, 0, 1, 2]
    assert [at for at, (_, is_current) in enumerate(milk) if is_current] == [5]
    assert [r["copies"] for r in spans if r["item"] == "bread"] == [1]


def test_any_order_repetition_and_split_counts_the_same(shop, catalog):
    """A repeated event is one event, equal events at two places are two."""
    chance = random.Random(1)
    events = LOG + chance.sample(LOG, 5)
    chance.shuffle(events)
    loaded(shop, events[:6], events[6:11], events[11:])
    assert current(catalog, shop) == END


@pytest.mark.parametrize(
    "files", [[slice(0, 4)], [slice(2, 4), slice(1, 2), slice(0, 1)]], ids=["in order", "late"]
)
def test_a_truncate_takes_all_that_was_before(shop, catalog, files):
    """Copies from before a truncate are gone, also those that come to light after it."""
    log = [
        event("c", 1, scan("milk")),
        event("t", 2),
        event("c", 3, scan("milk")),
        event("c", 4, scan("milk")),
    ]
    loaded(shop, *[log[part] for part in files])
    assert current(catalog, shop) == Counter({("milk", 1): 2})
    assert [row["copies"] for row in history(catalog, shop)] == [1, 0, 1, 2]


def test_a_large_batch_counts_alike(shop, catalog, monkeypatch):
    """What is too much for memory is counted by Spark, with the same result."""
    monkeypatch.setattr("silver.small_batch.ROWS", 0)
    steps = loaded(shop, LOG[:5], [*LOG[3:], LOG[0]])
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
