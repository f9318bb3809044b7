"""A contract's rules as expectations of Great Expectations 1.x: plain values, no import of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contracts.model import Contract, Rule

SEVERITIES = {"error": "critical", "warning": "warning"}


def expectations(contract: Contract) -> list[dict[str, Any]]:
    """Return one expectation a rule, with `type`, `kwargs`, `severity` and `meta`.

    The columns come first, then the key, then each column's rules in contract order. Where Great
    Expectations has no word for a check, the gate alone holds it: such a rule gives none.
    """
    found = [
        _one(
            "expect_table_columns_to_match_set", column_set=list(contract.names), exact_match=False
        )
    ]
    if len(contract.keys) == 1:
        found.append(_one("expect_column_values_to_be_unique", column=contract.keys[0]))
    elif contract.keys:
        found.append(_one("expect_compound_columns_to_be_unique", column_list=list(contract.keys)))
    for rule in contract.rules:
        translated = _translated(rule)
        if translated is not None:
            kind, kwargs = translated
            one = _one(kind, column=rule.column, **kwargs)
            one["severity"] = SEVERITIES[rule.severity]
            one["meta"] = {"rule": rule.label}
            found.append(one)
    return found


def suite(contract: Contract) -> dict[str, Any]:
    """Return the contract's expectations as a suite of the JSON that Great Expectations reads."""
    return {
        "name": f"{contract.domain}.{contract.dataset}",
        "expectations": expectations(contract),
        "meta": {"contract": contract.file, "version": contract.version},
    }


def _one(kind: str, **kwargs: Any) -> dict[str, Any]:
    return {"type": kind, "kwargs": kwargs, "severity": "critical", "meta": {}}


def _translated(rule: Rule) -> tuple[str, dict[str, Any]] | None:
    """Return the type and arguments of a rule's expectation, None where there is no such type."""
    given = rule.arguments
    if rule.check == "required":
        return "expect_column_values_to_not_be_null", {}
    if rule.check == "str_length":
        return _length(given)
    values = _values(rule)
    if values is not None:
        return values
    bounds = _bounds(rule)
    if bounds is not None:
        return "expect_column_values_to_be_between", bounds
    pattern = _pattern(rule)
    return None if pattern is None else ("expect_column_values_to_match_regex", {"regex": pattern})


def _values(rule: Rule) -> tuple[str, dict[str, Any]] | None:
    given = rule.arguments
    inside, outside = "expect_column_values_to_be_in_set", "expect_column_values_to_not_be_in_set"
    found = {
        "isin": (inside, given.get("allowed_values")),
        "equal_to": (inside, [given.get("value")]),
        "notin": (outside, given.get("forbidden_values")),
        "not_equal_to": (outside, [given.get("value")]),
    }.get(rule.check)
    return None if found is None else (found[0], {"value_set": list(found[1] or [])})


def _bounds(rule: Rule) -> dict[str, Any] | None:
    low, high = rule.arguments.get("min_value"), rule.arguments.get("max_value")
    return {
        "greater_than": {"min_value": low, "strict_min": True},
        "greater_than_or_equal_to": {"min_value": low},
        "less_than": {"max_value": high, "strict_max": True},
        "less_than_or_equal_to": {"max_value": high},
        "in_range": {
            "min_value": low,
            "max_value": high,
            "strict_min": not rule.arguments.get("include_min", True),
            "strict_max": not rule.arguments.get("include_max", True),
        },
    }.get(rule.check)


def _pattern(rule: Rule) -> str | None:
    """Return the pattern of a text rule; Pandera's `str_matches` is anchored at the start."""
    pattern, text = rule.arguments.get("pattern"), re.escape(rule.arguments.get("string") or "")
    return {
        "str_matches": f"^(?:{pattern})",
        "str_contains": pattern,
        "str_startswith": f"^{text}",
        "str_endswith": f"{text}$",
    }.get(rule.check)


def _length(given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if given.get("exact_value") is not None:
        return "expect_column_value_lengths_to_equal", {"value": given["exact_value"]}
    named = {key: given[key] for key in ("min_value", "max_value") if given.get(key) is not None}
    return "expect_column_value_lengths_to_be_between", named
