"""Checks of a range: above, below, between."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from contracts.checks.check import Bound, Bounds, Check, Expected
from contracts.checks.values import ORDERED

if TYPE_CHECKING:
    from contracts.checks.check import Arguments, Given

_BETWEEN = "expect_column_values_to_be_between"


def swapped(given: Given, *, low: str, high: str) -> str | None:
    """Return what is wrong with two ends in the wrong order, None where they are in order."""
    least, most = given.get(low), given.get(high)
    if least is None or most is None or least <= most:
        return None
    return f"minimum {least} is above maximum {most}"


def _empty_range(given: Given) -> str | None:
    whole = given.get("include_min", True) and given.get("include_max", True)
    if given["min_value"] == given["max_value"] and not whole:
        return f"no value is above and below {given['min_value']}"
    return swapped(given, low="min_value", high="max_value")


def _in_range(value: str, given: Given) -> str:
    above = ">=" if given.get("include_min", True) else ">"
    below = "<=" if given.get("include_max", True) else "<"
    return f"{value} {above} {given.sql('min_value')} and {value} {below} {given.sql('max_value')}"


def _expected_range(given: Arguments) -> Expected:
    return Expected(
        _BETWEEN,
        {
            "min_value": given["min_value"],
            "max_value": given["max_value"],
            "strict_min": not given.get("include_min", True),
            "strict_max": not given.get("include_max", True),
        },
    )


def _bounds(given: Arguments, *, strict: bool = False) -> Bounds:
    low, high = given.get("min_value"), given.get("max_value")
    return Bounds(
        None if low is None else Bound(low, strict or not given.get("include_min", True)),
        None if high is None else Bound(high, strict or not given.get("include_max", True)),
    )


CHECKS = (
    Check(
        "greater_than",
        columns=ORDERED,
        needs={"min_value": "value"},
        condition=lambda value, given: f"{value} > {given.sql('min_value')}",
        expectation=lambda given: Expected(
            _BETWEEN, {"min_value": given["min_value"], "strict_min": True}
        ),
        bounds=partial(_bounds, strict=True),
        options={"exclusiveMinimum": "min_value"},
        aliases=("gt",),
        words="> {min_value}",
    ),
    Check(
        "greater_than_or_equal_to",
        columns=ORDERED,
        needs={"min_value": "value"},
        condition=lambda value, given: f"{value} >= {given.sql('min_value')}",
        expectation=lambda given: Expected(_BETWEEN, {"min_value": given["min_value"]}),
        bounds=_bounds,
        options={"minimum": "min_value"},
        aliases=("ge",),
        words="≥ {min_value}",
    ),
    Check(
        "less_than",
        columns=ORDERED,
        needs={"max_value": "value"},
        condition=lambda value, given: f"{value} < {given.sql('max_value')}",
        expectation=lambda given: Expected(
            _BETWEEN, {"max_value": given["max_value"], "strict_max": True}
        ),
        bounds=partial(_bounds, strict=True),
        options={"exclusiveMaximum": "max_value"},
        aliases=("lt",),
        words="< {max_value}",
    ),
    Check(
        "less_than_or_equal_to",
        columns=ORDERED,
        needs={"max_value": "value"},
        condition=lambda value, given: f"{value} <= {given.sql('max_value')}",
        expectation=lambda given: Expected(_BETWEEN, {"max_value": given["max_value"]}),
        bounds=_bounds,
        options={"maximum": "max_value"},
        aliases=("le",),
        words="≤ {max_value}",
    ),
    Check(
        "in_range",
        columns=ORDERED,
        needs={"min_value": "value", "max_value": "value"},
        may={"include_min": "flag", "include_max": "flag"},
        condition=_in_range,
        expectation=_expected_range,
        problem=_empty_range,
        bounds=_bounds,
        aliases=("between",),
    ),
)
