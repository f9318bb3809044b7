"""The suite that a table has to pass before it is published, in Great Expectations' terms.

`suite` makes it of a key, required columns and rules, `suite_document` of a contract as the JSON that
Great Expectations 1.x reads: plain values, no import of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, cast

from contracts.checks.check import Expected
from contracts.checks.registry import CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from contracts.model.contract import Contract
    from contracts.model.rules import Rule

NOT_NULL = "expect_column_values_to_not_be_null"
UNIQUE = "expect_column_values_to_be_unique"
UNIQUE_TOGETHER = "expect_compound_columns_to_be_unique"
IN_SET = "expect_column_values_to_be_in_set"
COLUMNS = "expect_table_columns_to_match_set"
SEVERITIES = {"error": "critical", "warning": "warning"}


@dataclass(frozen=True)
class Expectation:
    """One expectation: Great Expectations' type and arguments, our rule's name and severity."""

    type: str
    arguments: dict[str, Any] = field(hash=False)
    rule: str
    severity: str = "error"

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that it reads."""
        listed = self.arguments.get("column_list")
        return tuple(listed) if listed else (self.arguments["column"],)


@dataclass(frozen=True)
class Suite:
    """The expectations on one table; `left_out` are rules that only the gate validates."""

    expectations: tuple[Expectation, ...]
    left_out: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that have to be read."""
        columns = (column for expected in self.expectations for column in expected.columns)
        return tuple(dict.fromkeys(columns))


def suite(
    *,
    key: Sequence[str] = (),
    required: Iterable[str] = (),
    accepted: Mapping[str, Sequence[Any]] | None = None,
    rules: Iterable[Rule] = (),
    kinds: Mapping[str, str] | None = None,
) -> Suite:
    """Return the suite of a table: its key, what is never null, accepted values, and row rules.

    `kinds` are the columns' Spark types; a bound of a date or a timestamp, which a contract gives
    as text, is made one. Of several equal expectations the first is kept.
    """
    expected = [_not_null(column) for column in dict.fromkeys([*key, *required])]
    if len(key) == 1:
        expected.append(Expectation(UNIQUE, {"column": key[0]}, "key is repeated"))
    elif key:
        expected.append(Expectation(UNIQUE_TOGETHER, {"column_list": list(key)}, "key is repeated"))
    for column, values in (accepted or {}).items():
        arguments = {"column": column, "value_set": list(values)}
        expected.append(Expectation(IN_SET, arguments, f"{column} is not accepted"))
    left_out: list[str] = []
    for rule in rules:
        translated = _translated(rule, (kinds or {}).get(rule.column, "string"))
        if translated is None:
            left_out.append(f"{rule.column} {rule.label}")
            continue
        arguments = {"column": rule.column} | translated.arguments
        expected.append(Expectation(translated.type, arguments, rule.label, rule.severity))
    distinct: dict[str, Expectation] = {}
    for expectation in expected:
        distinct.setdefault(f"{expectation.type} {expectation.arguments}", expectation)
    return Suite(tuple(distinct.values()), tuple(left_out))


def _not_null(column: str) -> Expectation:
    return Expectation(NOT_NULL, {"column": column}, f"{column} is null")


def _translated(rule: Rule, kind: str) -> Expected | None:
    """Return a rule of a column as Great Expectations has it, None where it has no such type."""
    if rule.check == "required":
        return Expected(NOT_NULL)
    check = CHECKS.get(rule.check)
    if check is None or check.expectation is None:
        return None
    return check.expectation({name: _typed(value, kind) for name, value in rule.arguments.items()})


def _typed(value: Any, kind: str) -> Any:
    """Return a bound as a value of its column's type."""
    if isinstance(value, list | tuple):
        return [_typed(item, kind) for item in cast("Sequence[Any]", value)]
    if kind == "timestamp" and isinstance(value, str | date):
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
    if kind == "date" and isinstance(value, str):
        return date.fromisoformat(value)
    return value


def suite_document(contract: Contract) -> dict[str, Any]:
    """Return the contract's suite as plain values; `left_out` are rules that only the gate validates.

    The columns come first, then the key, then each column's rules in contract order. An expectation
    has `type`, `kwargs`, `severity` and `meta`.
    """
    kinds = {column.name: column.type for column in contract.columns}
    derived = suite(key=contract.keys, rules=contract.rules, kinds=kinds)
    columns = {"column_set": list(contract.names), "exact_match": False}
    first = {"type": COLUMNS, "kwargs": columns, "severity": "critical", "meta": {}}
    return {
        "name": f"{contract.domain}.{contract.dataset}",
        "expectations": [first, *map(_plain, derived.expectations)],
        "meta": {
            "contract": contract.file,
            "version": contract.version,
            "left_out": list(derived.left_out),
        },
    }


def _plain(expected: Expectation) -> dict[str, Any]:
    return {
        "type": expected.type,
        "kwargs": {name: _text(value) for name, value in expected.arguments.items()},
        "severity": SEVERITIES[expected.severity],
        "meta": {"rule": expected.rule},
    }


def _text(value: Any) -> Any:
    """Return a value as JSON has it: instants and days as text."""
    if isinstance(value, list):
        return [_text(item) for item in cast("list[Any]", value)]
    return value.isoformat() if isinstance(value, date) else value
