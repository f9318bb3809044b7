"""A contract's suite as the JSON that Great Expectations 1.x reads: plain values, no import of it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from contracts.compilers.expectation_suite import suite as suite_of

if TYPE_CHECKING:
    from contracts.compilers.expectation_suite import Expectation, Suite
    from contracts.model.contract import Contract

SEVERITIES = {"error": "critical", "warning": "warning"}
COLUMNS = "expect_table_columns_to_match_set"


def expectations(contract: Contract) -> list[dict[str, Any]]:
    """Return one expectation a rule, with `type`, `kwargs`, `severity` and `meta`.

    The columns come first, then the key, then each column's rules in contract order.
    """
    columns = {"column_set": list(contract.names), "exact_match": False}
    first = {"type": COLUMNS, "kwargs": columns, "severity": "critical", "meta": {}}
    return [first, *map(_plain, _suite(contract).expectations)]


def suite(contract: Contract) -> dict[str, Any]:
    """Return the contract's expectations as a suite; `left_out` are rules that only the gate knows."""
    left_out = list(_suite(contract).left_out)
    return {
        "name": f"{contract.domain}.{contract.dataset}",
        "expectations": expectations(contract),
        "meta": {"contract": contract.file, "version": contract.version, "left_out": left_out},
    }


def _suite(contract: Contract) -> Suite:
    kinds = {column.name: column.type for column in contract.columns}
    return suite_of(key=contract.keys, rules=contract.rules, kinds=kinds)


def _plain(one: Expectation) -> dict[str, Any]:
    return {
        "type": one.type,
        "kwargs": {name: _text(value) for name, value in one.arguments.items()},
        "severity": SEVERITIES[one.severity],
        "meta": {"rule": one.rule},
    }


def _text(value: Any) -> Any:
    """Return a value as JSON has it: instants and days as text."""
    if isinstance(value, list):
        return [_text(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value
