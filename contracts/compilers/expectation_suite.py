"""The suite that a table has to pass before it is published, as Great Expectations names things."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from contracts.model.rules import Rule


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
    """Everything one table is expected to hold to; `left_out` are rules that only the gate knows."""

    expectations: tuple[Expectation, ...]
    left_out: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that have to be read."""
        return tuple({column: None for each in self.expectations for column in each.columns})


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
    as text, is made one.
    """
    found: dict[str, Expectation] = {}
    left_out = []
    for column in dict.fromkeys([*key, *required]):
        _add(found, "not_be_null", "is null", {"column": column})
    if len(key) == 1:
        _add(found, "be_unique", "key is repeated", {"column": key[0]})
    elif key:
        arguments = {"column_list": list(key)}
        one = Expectation("expect_compound_columns_to_be_unique", arguments, "key is repeated")
        found[f"{one.type} {key}"] = one
    for column, values in (accepted or {}).items():
        _add(found, "be_in_set", "is not accepted", {"column": column, "value_set": list(values)})
    for rule in rules:
        made = _translated(rule, (kinds or {}).get(rule.column, "string"))
        if made is None:
            left_out.append(f"{rule.column} {rule.label}")
            continue
        kind, arguments = made
        _add(found, kind, rule.label, {"column": rule.column} | arguments, rule.severity)
    return Suite(tuple(found.values()), tuple(left_out))


def _add(
    found: dict[str, Expectation],
    kind: str,
    rule: str,
    arguments: dict[str, Any],
    severity: str = "error",
) -> None:
    """Add an expectation on a column's values, unless the same is there."""
    name = f"{arguments['column']} {rule}" if rule.startswith("is ") else rule
    one = Expectation(f"expect_column_value{_plural(kind)}", arguments, name, severity)
    found.setdefault(f"{one.type} {arguments}", one)


def _plural(kind: str) -> str:
    return f"_{kind}" if kind.startswith("lengths") else f"s_to_{kind}"


def _translated(rule: Rule, kind: str) -> tuple[str, dict[str, Any]] | None:
    """Return Great Expectations' words for a rule of a column, None where it has none."""
    given = {name: _typed(value, kind) for name, value in rule.arguments.items()}
    low, high = given.get("min_value"), given.get("max_value")
    pattern, text = str(given.get("pattern", "")), re.escape(str(given.get("string", "")))
    listed = given.get("allowed_values", given.get("forbidden_values"))
    known: dict[str, tuple[str, dict[str, Any]]] = {
        "required": ("not_be_null", {}),
        "equal_to": ("be_in_set", {"value_set": [given.get("value")]}),
        "not_equal_to": ("not_be_in_set", {"value_set": [given.get("value")]}),
        "greater_than": ("be_between", {"min_value": low, "strict_min": True}),
        "greater_than_or_equal_to": ("be_between", {"min_value": low}),
        "less_than": ("be_between", {"max_value": high, "strict_max": True}),
        "less_than_or_equal_to": ("be_between", {"max_value": high}),
        "in_range": (
            "be_between",
            {
                "min_value": low,
                "max_value": high,
                "strict_min": not given.get("include_min", True),
                "strict_max": not given.get("include_max", True),
            },
        ),
        "isin": ("be_in_set", {"value_set": listed}),
        "notin": ("not_be_in_set", {"value_set": listed}),
        "str_matches": ("match_regex", {"regex": f"^(?:{pattern})"}),
        "str_contains": ("match_regex", {"regex": pattern}),
        "str_startswith": ("match_regex", {"regex": f"^{text}"}),
        "str_endswith": ("match_regex", {"regex": f"{text}$"}),
        "str_length": ("lengths_to_be_between", _lengths(rule.arguments)),
    }
    return known.get(rule.check)


def _lengths(given: Mapping[str, Any]) -> dict[str, Any]:
    exact = given.get("exact_value")
    if exact is not None:
        return {"min_value": exact, "max_value": exact}
    return {name: given[name] for name in ("min_value", "max_value") if name in given}


def _typed(value: Any, kind: str) -> Any:
    """Return a bound as a value of its column's type."""
    if isinstance(value, list | tuple):
        return [_typed(each, kind) for each in value]
    if kind == "timestamp" and isinstance(value, str | date):
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found
    if kind == "date" and isinstance(value, str):
        return date.fromisoformat(value)
    return value
