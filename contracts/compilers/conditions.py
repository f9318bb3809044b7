"""A rule as a condition in SQL: when a value breaks it, by what Pandera means."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from contracts.checks import patterns
from contracts.checks.values import arguments_of
from contracts.sql import literal, name
from contracts.types import FLOATS, decimal

if TYPE_CHECKING:
    from contracts.model.contract import Column, Contract
    from contracts.model.rules import Rule

PATTERNS = ("str_matches", "str_contains")


def violated(rule: Rule, column: Column) -> str:
    """Return the condition under which a value breaks a rule, never null.

    A null breaks `required` only; NaN counts as null, as it does in Pandera.
    """
    if rule.check == "required":
        return absent(column)
    if in_python(rule):
        return name(computed(rule))
    return f"not {absent(column)} and not ({_holds(rule, column)})"


def absent(column: Column) -> str:
    """Return the condition under which a column has no value."""
    value = name(column.name)
    return f"({value} is null or isnan({value}))" if column.type in FLOATS else f"{value} is null"


def in_python(rule: Rule) -> bool:
    """Return whether a rule has no meaning in SQL, so that Python judges it on Arrow batches."""
    if rule.source:
        return True
    if rule.check not in PATTERNS:
        return False
    try:
        patterns.java(rule.arguments["pattern"], from_start=rule.check == "str_matches")
    except patterns.OtherMeaning:
        return True
    return False


def computed(rule: Rule) -> str:
    """Return the name of the column that says whether a row breaks a rule that Python judges."""
    said = repr((rule.column, rule.check, rule.source, sorted(rule.arguments.items(), key=repr)))
    return f"_breaks_{hashlib.sha256(said.encode()).hexdigest()[:12]}"


def python_rules(contract: Contract) -> dict[str, Rule]:
    """Return the rules that Python judges, by the column their verdict comes in."""
    return {computed(rule): rule for rule in contract.rules if in_python(rule)}


def _holds(rule: Rule, column: Column) -> str:
    value, kind = name(column.name), column.type
    given = arguments_of(rule.check, rule.arguments, kind)
    low, high = _literal(given.get("min_value"), kind), _literal(given.get("max_value"), kind)
    if rule.check == "in_range":
        above = ">=" if given.get("include_min", True) else ">"
        below = "<=" if given.get("include_max", True) else "<"
        return f"{value} {above} {low} and {value} {below} {high}"
    if rule.check in ("isin", "notin"):
        values = given.get("allowed_values") or given.get("forbidden_values") or []
        listed = ", ".join(_literal(item, kind) for item in values)
        return f"{value} {'in' if rule.check == 'isin' else 'not in'} ({listed})"
    if rule.check == "str_length":
        sizes = (given.get("min_value"), given.get("max_value"), given.get("exact_value"))
        return _sized(f"char_length({value})", *sizes)
    if rule.check == "items_in_range":
        return _sized(f"size({value})", given.get("min_items"), given.get("max_items"))
    if rule.check in PATTERNS:
        from_start = rule.check == "str_matches"
        return f"{value} rlike {literal(patterns.java(given['pattern'], from_start=from_start))}"
    simple = {
        "equal_to": f"{value} = {_literal(given.get('value'), kind)}",
        "not_equal_to": f"{value} <> {_literal(given.get('value'), kind)}",
        "greater_than": f"{value} > {low}",
        "greater_than_or_equal_to": f"{value} >= {low}",
        "less_than": f"{value} < {high}",
        "less_than_or_equal_to": f"{value} <= {high}",
        "str_startswith": f"startswith({value}, {literal(given.get('string'))})",
        "str_endswith": f"endswith({value}, {literal(given.get('string'))})",
        "multiple_of": f"{value} % {_literal(given.get('divisor'), kind)} = 0",
        "items_unique": f"size({value}) = size(array_distinct({value}))",
    }
    return simple[rule.check]


def _literal(value: Any, kind: str) -> str:
    if kind == "float" and isinstance(value, float):
        return f"cast({literal(value)} as float)"
    if kind == "double" and isinstance(value, Decimal):
        value = float(value)
    if kind.startswith("decimal") and isinstance(value, Decimal | int):
        whole = value == int(value) and abs(value) < 2**63
        # A decimal made of a whole number is a long in memory, and compared as one.
        number = literal(int(value)) if whole else f"{Decimal(value):f}BD"
        # Of the column's own type, so that no value of the column is cast to compare it.
        return f"cast({number} as {kind})" if _fits(Decimal(value), kind) else number
    return literal(value)


def _fits(value: Decimal, kind: str) -> bool:
    precision, scale = decimal(kind) or (0, 0)
    exponent = value.normalize().as_tuple().exponent
    places = max(0, -exponent) if isinstance(exponent, int) else scale + 1
    return places <= scale and abs(value) < Decimal(10) ** (precision - scale)


def _sized(size: str, least: int | None, most: int | None, exact: int | None = None) -> str:
    if exact is not None:
        return f"{size} = {exact}"
    bounds = [f"{size} >= {least}"] if least is not None else []
    return " and ".join([*bounds, f"{size} <= {most}"] if most is not None else bounds)
