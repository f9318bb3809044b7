"""Rules on a dataset as a whole are read from the contract, or refused with file and line."""

from __future__ import annotations

import pytest

from contracts.errors import ContractError
from contracts.parsing.load import load_domain
from tests import orders

OWN = {"type": "custom", "engine": "lakehouse"}


def contract_of(folder, *quality, **changes):
    """Return the test contract with the given items under `quality` of the dataset."""
    document = orders.document(**changes)
    document["schema"][0]["quality"] = list(quality)
    orders.write_contract(folder, document)
    return load_domain(folder, "shop")["orders"]


def own(severity="error", name="", **implementation):
    """Return a rule of our own."""
    return (
        OWN
        | {"severity": severity, "implementation": implementation}
        | ({"name": name} if name else {})
    )


def test_standard_and_own_rules_are_read(contracts):
    """A metric of the standard, a percentage, history and our own metrics are one kind of value."""
    contract = contract_of(
        contracts,
        {"metric": "rowCount", "mustBeBetween": [1, 10]},
        {"metric": "nullValues", "arguments": {"column": "amount"}, "unit": "percent",
         "mustBeLessOrEqualTo": 5, "severity": "warning"},
        {"metric": "duplicateValues", "arguments": {"properties": ["customer_id", "status"]},
         "mustBe": 0},
        own(metric="rowCount", history={"minimum": 3}, name="usual rows"),
        own(metric="distributionShift", column="amount", mustBeLessThan=0.25),
    )  # fmt: skip
    rows, nulls, twice, usual, shift = contract.dataset_rules
    assert (rows.allows(1), rows.allows(10), rows.allows(0), rows.allows(11)) == (1, 1, 0, 0)
    assert (nulls.columns, nulls.unit, nulls.severity) == (("amount",), "percent", "warning")
    assert twice.columns == ("customer_id", "status")
    assert usual.history.minimum == 3
    assert usual.measure == rows.measure  # one measurement serves both
    assert shift.requirement == "must be less than 0.25"


def test_a_column_may_carry_its_own(contracts):
    """Under `quality` of a column, a dataset rule measures that column and is no row rule."""
    document = orders.document()
    document["schema"][0]["properties"][2]["quality"] = [{"metric": "nullValues", "mustBe": 0}]
    orders.write_contract(contracts, document)
    contract = load_domain(contracts, "shop")["orders"]
    assert [rule.columns for rule in contract.dataset_rules] == [("amount",)]
    assert {rule.check for rule in contract.rules if rule.column == "amount"} == {
        "greater_than_or_equal_to"
    }


def test_channels_come_from_support(contracts):
    """An address and a room of the owner are read from `support`."""
    support = [
        {"channel": "shop-data", "tool": "slack"},
        {"channel": "Shop team", "url": "mailto:shop@example.org"},
    ]
    channels = contract_of(contracts, support=support).channels
    assert [(channel.tool, channel.name, channel.address) for channel in channels] == [
        ("slack", "shop-data", ""),
        ("email", "Shop team", "shop@example.org"),
    ]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (own(metric="rowsCount", mustBe=1), "'rowsCount' is not known; known are"),
        (own(metric="rowCount", mustBe=1, history={}), "exactly one of history"),
        (own(metric="rowCount"), "exactly one of history"),
        (own(metric="rowCount", mustBeBetween=[3, 2]), "minimum 3 is above maximum 2"),
        (own(metric="rowCount", column="amount", mustBe=1), "measures no column"),
        (own(metric="nullValues", column="amuont", mustBe=0), "'amuont', which is not there"),
        (own(metric="nullValues", mustBe=0), "measures one column, not 0"),
        (own(metric="freshness", column="amount", unit="h", mustBe=1), "needs a timestamp"),
        (own(metric="rowCount", unit="h", mustBe=1), "no span of time"),
        (own(metric="reconciliation", mustBe=0), "needs control"),
        (own(metric="rowCount", history={"windw": 3}), "windw"),
        (own(metric="rowCount", severity="fatal", mustBe=1), "severity is error or warning"),
    ],
)
def test_a_rule_without_sense_is_named_with_its_line(contracts, rule, message):
    """A mistake in a dataset rule is one clear error before any data moves."""
    with pytest.raises(ContractError, match=rf"^shop/orders\.yaml:\d+: .*{message}"):
        contract_of(contracts, rule)
