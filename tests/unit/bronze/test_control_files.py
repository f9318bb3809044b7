"""Landed files are compared with the counts that their source states beside them."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from bronze.control_files import reconcile
from bronze.discovery import landed_files
from contracts.parsing.load import load_domain
from lakehouse.errors import ContractBreach
from tests import orders

CONTROL = {
    "type": "custom",
    "engine": "lakehouse",
    "name": "as many as the source counted",
    "implementation": {
        "metric": "reconciliation",
        "control": "orders/control/{stem}.json",
        "field": "rows",
        "mustBe": 0,
    },
}


def checked(settings, severity="error"):
    """Reconcile everything that is landed; return the run that hears the warnings."""
    document = orders.document()
    document["schema"][0]["quality"] = [CONTROL | {"severity": severity}]
    orders.write_contract(settings.contracts, document)
    contract = load_domain(settings.contracts, "shop")["orders"]
    run = SimpleNamespace(warnings=[])
    reconcile(contract, list(landed_files(settings, contract)), settings.landing / "shop", run)
    return run


def state(settings, stem, body):
    """Write a control file."""
    path = settings.landing / "shop" / "orders" / "control" / f"{stem}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(body if isinstance(body, str) else json.dumps(body))


def test_counts_that_agree_pass(settings):
    """Lines of a change log and rows of a Parquet file are counted; blank lines are none."""
    orders.land_events(settings, "a.jsonl", [orders.event("c", 1, orders.order(1)), "", "{torn"])
    orders.land_snapshot(settings, "b.parquet", {"order_id": [1, 2, 3]})
    state(settings, "a", {"rows": 2})
    state(settings, "b", {"rows": "3"})
    assert checked(settings).warnings == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"rows": 5}, r"has 1 rows, its source counted 5 \(orders/control/a.json\)"),
        (None, "has no control file orders/control/a.json"),
        ({"count": 1}, "states no count under 'rows'"),
        ("not json", "states no count under 'rows'"),
        ([1], "states no count under 'rows'"),
    ],
)
def test_a_count_that_differs_or_is_missing_stops_the_dataset(settings, body, message):
    """Nothing is loaded; as a warning it is noted and stops nothing."""
    orders.land_events(settings, "a.jsonl", [orders.event("c", 1, orders.order(1))])
    if body is not None:
        state(settings, "a", body)
    with pytest.raises(ContractBreach, match=message) as caught:
        checked(settings)
    [broken] = caught.value.violations
    assert (broken.layer, broken.rule) == ("bronze", "as many as the source counted")
    [warning] = checked(settings, "warning").warnings
    assert warning.severity == "warning"
