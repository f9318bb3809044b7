"""A rule as a SQL condition: when a value breaks it, by what Pandera means."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from contracts.checks.registry import CHECKS
from contracts.sql import name
from contracts.types import FLOATS

if TYPE_CHECKING:
    from contracts.model.contract import Column, Contract
    from contracts.model.rules import Rule


def violated(rule: Rule, column: Column) -> str:
    """Return the condition under which a value breaks a rule, never null.

    A null breaks `required` only; NaN counts as null, as it does in Pandera.
    """
    if rule.check == "required":
        return absent(column)
    if in_python(rule):
        return name(computed(rule))
    check = CHECKS[rule.check]
    assert check.condition is not None
    given = check.given(rule.arguments, column.type)
    return f"not {absent(column)} and not ({check.condition(name(column.name), given)})"


def absent(column: Column) -> str:
    """Return the condition under which a column has no value."""
    value = name(column.name)
    return f"({value} is null or isnan({value}))" if column.type in FLOATS else f"{value} is null"


def in_python(rule: Rule) -> bool:
    """Return whether SQL cannot express a rule, so that Python validates it on Arrow batches."""
    if rule.check == "required":
        return False
    return bool(rule.source) or not CHECKS[rule.check].has_sql(rule.arguments)


def computed(rule: Rule) -> str:
    """Return the name of the column that states whether a row breaks a rule of Python."""
    identity = (rule.column, rule.check, rule.source, sorted(rule.arguments.items(), key=repr))
    return f"_breaks_{hashlib.sha256(repr(identity).encode()).hexdigest()[:12]}"


def python_rules(contract: Contract) -> dict[str, Rule]:
    """Return the rules that Python validates, by the column that their outcome comes in."""
    return {computed(rule): rule for rule in contract.rules if in_python(rule)}
