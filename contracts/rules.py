"""The rules of a contract, named as Pandera names its checks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from contracts.dataset_rules import is_dataset_rule
from contracts.model import Column, Rule

if TYPE_CHECKING:
    from contracts.document import Document

# ODCS option -> (Pandera check, its argument)
OPTIONS = {
    "minimum": ("greater_than_or_equal_to", "min_value"),
    "exclusiveMinimum": ("greater_than", "min_value"),
    "maximum": ("less_than_or_equal_to", "max_value"),
    "exclusiveMaximum": ("less_than", "max_value"),
    "minLength": ("str_length", "min_value"),
    "maxLength": ("str_length", "max_value"),
    "pattern": ("str_matches", "pattern"),
}
# Pandera check -> arguments it takes
CHECKS = {
    "equal_to": ("value",),
    "not_equal_to": ("value",),
    "greater_than": ("min_value",),
    "greater_than_or_equal_to": ("min_value",),
    "less_than": ("max_value",),
    "less_than_or_equal_to": ("max_value",),
    "in_range": ("min_value", "max_value", "include_min", "include_max"),
    "isin": ("allowed_values",),
    "notin": ("forbidden_values",),
    "str_matches": ("pattern",),
    "str_contains": ("pattern",),
    "str_startswith": ("string",),
    "str_endswith": ("string",),
    "str_length": ("min_value", "max_value", "exact_value"),
}


def rules_of(source: Document, columns: tuple[Column, ...]) -> tuple[Rule, ...]:
    """Return every row rule of the contract in column order; raise ContractError for a bad one."""
    found: list[Rule] = []
    for index, raw in enumerate(source.data["schema"][0].get("properties") or []):
        path: list[str | int] = ["schema", 0, "properties", index]
        column = columns[index]
        if column.required:
            found.append(Rule(column.name, "required"))
        _bounds(source, [*path, "logicalTypeOptions"], column, raw.get("logicalTypeOptions") or {})
        for option, value in (raw.get("logicalTypeOptions") or {}).items():
            found.append(
                _option(source, [*path, "logicalTypeOptions", option], column, option, value)
            )
        for place, quality in enumerate(raw.get("quality") or []):
            if is_dataset_rule(quality):
                continue
            found.append(_quality(source, [*path, "quality", place], column, quality))
    return tuple(found)


def _bounds(
    source: Document, path: list[str | int], column: Column, options: dict[str, Any]
) -> None:
    for low, high in (("minimum", "maximum"), ("minLength", "maxLength")):
        if low in options and high in options and options[low] > options[high]:
            raise source.error(
                [*path, low],
                f"column '{column.name}': {low} {options[low]} is above {high} {options[high]}",
            )


def _option(
    source: Document,
    path: list[str | int],
    column: Column,
    option: str,
    value: Any,
) -> Rule:
    if option not in OPTIONS:
        raise source.error(path, f"column '{column.name}': option '{option}' is not known")
    check, argument = OPTIONS[option]
    return _checked(source, path, Rule(column.name, check, {argument: value}))


def _quality(source: Document, path: list[str | int], column: Column, raw: dict[str, Any]) -> Rule:
    severity = raw.get("severity", "error")
    if severity not in ("error", "warning"):
        raise source.error(path, f"column '{column.name}': severity is error or warning")
    text = {"name": raw.get("name", ""), "description": raw.get("description", "")}
    if raw.get("metric") == "invalidValues":
        given = raw.get("arguments") or {}
        if "validValues" in given:
            rule = Rule(
                column.name, "isin", {"allowed_values": given["validValues"]}, severity, **text
            )
        elif "pattern" in given:
            rule = Rule(column.name, "str_matches", {"pattern": given["pattern"]}, severity, **text)
        else:
            raise source.error(
                path, f"column '{column.name}': invalidValues needs validValues or pattern"
            )
        return _checked(source, path, rule)
    if raw.get("type") == "custom" and raw.get("engine") == "pandera":
        given = dict(raw["implementation"])
        check = given.pop("check", "")
        return _checked(source, path, Rule(column.name, check, given, severity, **text))
    raise source.error(path, f"column '{column.name}': this kind of quality rule is not known")


def _checked(source: Document, path: list[str | int], rule: Rule) -> Rule:
    if rule.check not in CHECKS:
        raise source.error(path, f"column '{rule.column}': check '{rule.check}' is not known")
    unknown = set(rule.arguments) - set(CHECKS[rule.check])
    if unknown or not rule.arguments:
        wanted = ", ".join(CHECKS[rule.check])
        raise source.error(path, f"column '{rule.column}': {rule.check} takes {wanted}")
    low, high = rule.arguments.get("min_value"), rule.arguments.get("max_value")
    if low is not None and high is not None and low > high:
        raise source.error(path, f"column '{rule.column}': minimum {low} is above maximum {high}")
    if "pattern" in rule.arguments:
        try:
            re.compile(rule.arguments["pattern"])
        except re.error as error:
            raise source.error(path, f"column '{rule.column}': bad pattern: {error}") from None
    return rule
