"""Checks of equality and of membership in a list of values, and of divisibility."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.checks.change import shown
from contracts.checks.check import Check, Expected, RuleChange
from contracts.checks.values import EQUAL, NUMBERS

if TYPE_CHECKING:
    from contracts.checks.check import Arguments, Given

_IN, _NOT_IN = "expect_column_values_to_be_in_set", "expect_column_values_to_not_be_in_set"


def _compare_allowed(before: Arguments, after: Arguments) -> RuleChange:
    old, new = before["allowed_values"], after["allowed_values"]
    removed, added = [v for v in old if v not in new], [v for v in new if v not in old]
    words = [f"{w} {values}" for w, values in (("no more", removed), ("also", added)) if values]
    return RuleChange(f"allowed values: {', '.join(words) or 'in another order'}", bool(removed))


def _compare_forbidden(before: Arguments, after: Arguments) -> RuleChange:
    added = [v for v in after["forbidden_values"] if v not in before["forbidden_values"]]
    message = f"forbidden values changed from {shown(before)} to {shown(after)}"
    return RuleChange(message, bool(added))


def _no_divisor(given: Given) -> str | None:
    return None if given["divisor"] > 0 else f"{given['divisor']} is not above 0"


def _multiple_of(values: Any, *, divisor: Any) -> Any:
    return values % divisor == 0


CHECKS = (
    Check(
        "equal_to",
        columns=EQUAL,
        needs={"value": "value"},
        condition=lambda value, given: f"{value} = {given.sql('value')}",
        expectation=lambda given: Expected(_IN, {"value_set": [given["value"]]}),
        aliases=("eq",),
        words="= {value}",
    ),
    Check(
        "not_equal_to",
        columns=EQUAL,
        needs={"value": "value"},
        condition=lambda value, given: f"{value} <> {given.sql('value')}",
        expectation=lambda given: Expected(_NOT_IN, {"value_set": [given["value"]]}),
        aliases=("ne",),
        words="≠ {value}",
    ),
    Check(
        "isin",
        columns=EQUAL,
        needs={"allowed_values": "values"},
        condition=lambda value, given: f"{value} in ({given.sql('allowed_values')})",
        expectation=lambda given: Expected(_IN, {"value_set": given["allowed_values"]}),
        compare=_compare_allowed,
        words="one of: {allowed_values}",
    ),
    Check(
        "notin",
        columns=EQUAL,
        needs={"forbidden_values": "values"},
        condition=lambda value, given: f"{value} not in ({given.sql('forbidden_values')})",
        expectation=lambda given: Expected(_NOT_IN, {"value_set": given["forbidden_values"]}),
        compare=_compare_forbidden,
        words="none of: {forbidden_values}",
    ),
    Check(
        "multiple_of",
        columns=NUMBERS,
        needs={"divisor": "value"},
        condition=lambda value, given: f"{value} % {given.sql('divisor')} = 0",
        function=_multiple_of,
        problem=_no_divisor,
        options={"multipleOf": "divisor"},
    ),
)
