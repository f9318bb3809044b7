"""Checks of text: patterns, beginnings, ends, lengths."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from contracts.checks import patterns
from contracts.checks.change import is_narrower, shown
from contracts.checks.check import Check, Expected, RuleChange
from contracts.checks.ranges import swapped
from contracts.checks.values import TEXT
from contracts.sql import literal

if TYPE_CHECKING:
    from contracts.checks.check import Arguments, Given

_REGEX = "expect_column_values_to_match_regex"


def _rlike(value: str, given: Given, *, from_start: bool) -> str:
    return f"{value} rlike {literal(patterns.java(given['pattern'], from_start=from_start))}"


def _is_java(given: Arguments, *, from_start: bool) -> bool:
    try:
        patterns.java(given["pattern"], from_start=from_start)
    except patterns.OtherMeaning:
        return False
    return True


def _matches(text: str, *, pattern: str) -> bool:
    return re.match(pattern, text) is not None


def _contains(text: str, *, pattern: str) -> bool:
    return re.search(pattern, text) is not None


def sized(size: str, least: int | None, most: int | None) -> str:
    """Return the condition that a size in SQL is within two ends, either of which may be None."""
    bounds = [f"{size} >= {least}"] if least is not None else []
    return " and ".join([*bounds, f"{size} <= {most}"] if most is not None else bounds)


def _length(value: str, given: Given) -> str:
    size, exact = f"char_length({value})", given.get("exact_value")
    if exact is not None:
        return f"{size} = {exact}"
    return sized(size, given.get("min_value"), given.get("max_value"))


def _expected_length(given: Arguments) -> Expected:
    exact = given.get("exact_value")
    ends = given if exact is None else {"min_value": exact, "max_value": exact}
    arguments = {end: ends[end] for end in ("min_value", "max_value") if end in ends}
    return Expected("expect_column_value_lengths_to_be_between", arguments)


def _compare_length(before: Arguments, after: Arguments) -> RuleChange:
    ends = f"changed from {shown(before)} to {shown(after)}"
    if "exact_value" in {*before, *after}:
        return RuleChange(f"rule str_length {ends}", tightened=True)
    narrower = is_narrower(before, after, "min_value", "max_value")
    return RuleChange(f"length {ends}", narrower)


CHECKS = (
    Check(
        "str_matches",
        columns=TEXT,
        needs={"pattern": "pattern"},
        may={"flags": "text"},
        condition=partial(_rlike, from_start=True),
        expressible=partial(_is_java, from_start=True),
        function=_matches,
        element_wise=True,
        expectation=lambda given: Expected(_REGEX, {"regex": f"^(?:{given['pattern']})"}),
        options={"pattern": "pattern"},
        words="matches {pattern}",
    ),
    Check(
        "str_contains",
        columns=TEXT,
        needs={"pattern": "pattern"},
        may={"flags": "text"},
        condition=partial(_rlike, from_start=False),
        expressible=partial(_is_java, from_start=False),
        function=_contains,
        element_wise=True,
        expectation=lambda given: Expected(_REGEX, {"regex": given["pattern"]}),
        words="contains {pattern}",
    ),
    Check(
        "str_startswith",
        columns=TEXT,
        needs={"string": "text"},
        condition=lambda value, given: f"startswith({value}, {given.sql('string')})",
        expectation=lambda given: Expected(_REGEX, {"regex": f"^{re.escape(given['string'])}"}),
        words="starts with {string}",
    ),
    Check(
        "str_endswith",
        columns=TEXT,
        needs={"string": "text"},
        condition=lambda value, given: f"endswith({value}, {given.sql('string')})",
        expectation=lambda given: Expected(_REGEX, {"regex": f"{re.escape(given['string'])}$"}),
        words="ends with {string}",
    ),
    Check(
        "str_length",
        columns=TEXT,
        one_of={"min_value": "size", "max_value": "size", "exact_value": "size"},
        condition=_length,
        expectation=_expected_length,
        problem=partial(swapped, low="min_value", high="max_value"),
        compare=_compare_length,
        options={"minLength": "min_value", "maxLength": "max_value"},
    ),
)
