"""Reasons of rejected rows, as an alert shows them: most frequent first, personal values masked."""

from __future__ import annotations

from types import SimpleNamespace

import pyarrow as pa
import pytest

from contracts.parsing.load import load_domain
from silver import dataset_rules
from silver.quarantine import FAILURES
from tests import orders


@pytest.fixture
def contract(settings):
    """The contract of orders, with a personal state."""
    document = orders.document()
    document["schema"][0]["properties"][3]["classification"] = "personal"
    orders.write_contract(settings.contracts, document)
    return load_domain(settings.contracts, "shop")["orders"]


def test_reasons_are_counted_and_the_most_frequent_come_first():
    """One line a column and rule, with one of its values; no more than five."""
    low = {"column": "amount", "rule": "minimum", "value": "-1"}
    rows = [[low, {"column": "status", "rule": "isin", "value": str(n)}] for n in range(2)]
    rows += [[low]] + [[{"column": f"c{n}", "rule": "x", "value": ""}] for n in range(9)]
    table = pa.table({"_failures": pa.array(rows, FAILURES), "other": range(len(rows))})
    assert dataset_rules.reasons_in(table) == [
        ("amount", "minimum", "-1", 3), ("status", "isin", "0", 2),
        ("c0", "x", "", 1), ("c1", "x", "", 1), ("c2", "x", "", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "shown"),
    [("amount", "12,345"), ("status", "(masked)"), ("_line", "(masked)"), ("no_such", "(masked)")],
)
def test_a_value_of_a_personal_or_unknown_column_is_masked(contract, column, shown):
    """A line that could not be read may have any value in it."""
    batch = SimpleNamespace(contract=contract)
    text = dataset_rules._described(batch, (column, "type", "12,345", 1_000))
    assert text == f"{column}: type: 1,000 rows, such as {shown}"


@pytest.mark.parametrize(("rules", "enforce_rules"), [((), True), (("a rule",), False)])
def test_nothing_is_measured_without_rules_or_where_they_are_not_enforced(rules, enforce_rules):
    """A dataset without rules costs nothing, nor does a batch of rows that were accepted before."""

    def reasons():
        raise AssertionError

    contract = SimpleNamespace(dataset_rules=rules)
    batch = SimpleNamespace(enforce_rules=enforce_rules, contract=contract)
    assert dataset_rules.enforce(batch, pa.table({}), {}, reasons) is None
