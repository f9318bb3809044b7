"""A run says how far it read a source, and what is overdue: silence is never taken for success."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bronze.freshness import overdue
from contracts.errors import ContractError
from contracts.parsing.load import load_domain
from lakehouse.storage.tables import Tables
from pipeline.run import run_layers
from tests import orders

PROMISES = [
    {"property": "frequency", "value": 2, "unit": "h"},
    {"property": "latency", "value": 30, "unit": "d"},
]


@pytest.fixture
def shop(settings):
    """Settings of an empty home with a contract that promises news."""
    orders.write_contract(settings.contracts, orders.document(slaProperties=PROMISES))
    return settings


@pytest.mark.spark
def test_a_run_says_how_far_it_read_and_what_is_overdue(catalog, shop):
    """Rows by operation and the last position are in the ledger; silence is told once it is too long."""
    tables = Tables.at(shop)
    contracts = load_domain(shop.contracts, "shop").values()
    assert overdue(tables, contracts) == []  # nothing ever ran: nothing is late

    events = [
        orders.event("c", 1, orders.order(1)),
        orders.event("u", 2, orders.order(1, status="paid")),
        orders.event("u", 1, orders.order(1, status="open"), transaction=101),
    ]
    orders.land_events(shop, "a.jsonl", [*events, "{torn"])
    result = run_layers(shop, "shop", ("bronze",))

    [step] = result.steps
    assert step.operations == "? 1, c 1, u 2"
    assert step.position == "0000000000000101000.1.0000000001"
    assert result.overdue == ()
    promised = timedelta(days=30, hours=2)
    for late, expected in ((timedelta(hours=-1), []), (timedelta(hours=1), ["orders"])):
        found = overdue(tables, contracts, datetime.now(UTC) + promised + late)
        assert [each.dataset for each in found] == expected


def test_units_of_service_levels(settings):
    """Hours, days, weeks, months and years are told apart; a level that is not promised is none."""
    path = settings.contracts / "shop"
    for unit, hours in (
        ("min", 1 / 30),
        ("h", 2),
        ("d", 48),
        ("week", 336),
        ("m", 1440),
        ("years", 17520),
    ):
        level = {"property": "frequency", "value": 2, "unit": unit}
        orders.write_contract(settings.contracts, orders.document(slaProperties=[level]))
        [contract] = load_domain(path.parent, "shop").values()
        assert contract.service_level("frequency") == timedelta(hours=hours)
        assert contract.service_level("latency") is None


def test_an_unknown_unit_is_named_with_its_line(settings):
    """A promise that cannot be read is an error of the contract, before any data moves."""
    level = {"property": "frequency", "value": 2, "unit": "fortnight"}
    path = orders.write_contract(settings.contracts, orders.document(slaProperties=[level]))
    with pytest.raises(ContractError, match=rf"{path.name}:\d+: .*unit 'fortnight'"):
        load_domain(settings.contracts, "shop")
