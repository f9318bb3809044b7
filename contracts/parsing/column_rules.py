"""The rules of a contract's columns, named as Pandera names its checks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from contracts.checks import patterns
from contracts.checks.registry import CHECKS, declared_by, named
from contracts.checks.values import NUMBERS
from contracts.model.rules import Rule
from contracts.parsing import formats
from contracts.parsing.dataset_rules import is_dataset_rule
from contracts.parsing.document import implementation_of, items_at, mapping_at
from contracts.parsing.python_checks import custom_rule
from contracts.types import FLOATS, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.model.contract import Column
    from contracts.parsing.document import Document

Path = list[str | int]
# ODCS options that are the two ends of one range
BOUNDS = (
    ("minimum", "maximum"),
    ("minimum", "exclusiveMaximum"),
    ("exclusiveMinimum", "maximum"),
    ("exclusiveMinimum", "exclusiveMaximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
)


def rules_of(source: Document, columns: tuple[Column, ...], domain: str) -> tuple[Rule, ...]:
    """Return every rule of one column in column order; raise ContractError for a bad one."""
    rules: list[Rule] = []
    for index, raw in enumerate(items_at(source.data["schema"][0], "properties")):
        path: Path = ["schema", 0, "properties", index]
        column = columns[index]
        if column.required:
            rules.append(Rule(column.name, "required"))
        options = mapping_at(raw, "logicalTypeOptions")
        for option, value in options.items():
            rules += _option(source, [*path, "logicalTypeOptions", option], column, option, value)
        _bounds(source, [*path, "logicalTypeOptions"], column, options)
        if raw.get("enum"):
            allowed = {"allowed_values": [item["value"] for item in items_at(raw, "enum")]}
            rules.append(
                _checked(source, [*path, "enum"], column, Rule(column.name, "isin", allowed))
            )
        for place, quality in enumerate(items_at(raw, "quality")):
            if is_dataset_rule(quality) or quality.get("type") in ("sql", "text"):
                continue
            where: Path = [*path, "quality", place]
            rules.append(_quality(source, where, column, quality, domain))
    return tuple(rules)


def _bounds(source: Document, path: Path, column: Column, options: dict[str, Any]) -> None:
    for low, high in BOUNDS:
        if low in options and high in options and options[low] > options[high]:
            raise source.error(
                [*path, low],
                f"column '{column.name}': {low} {options[low]} is above {high} {options[high]}",
            )


def _option(
    source: Document, path: Path, column: Column, option: str, value: Any
) -> Iterator[Rule]:
    """Yield the rule of an option of the standard, none where it declares how to read a value, not which are valid."""
    kind = kind_of(column.type)
    if option == "format":
        yield from _format(source, path, column, value)
    elif option == "uniqueItems":
        if value:
            yield _checked(source, path, column, Rule(column.name, "items_unique"))
    elif option in ("timezone", "defaultTimezone") and kind == "timestamp":
        if value not in (True, "UTC", "Etc/UTC"):
            message = (
                f"column '{column.name}': a time without a zone is read as UTC, not as {value}"
            )
            raise source.error(path, message)
    elif declared := declared_by(option):
        check, argument = declared
        yield _checked(source, path, column, Rule(column.name, check.name, {argument: value}))
    else:
        raise source.error(path, f"column '{column.name}': option '{option}' is not known")


def _format(source: Document, path: Path, column: Column, name: str) -> Iterator[Rule]:
    kind = kind_of(column.type)
    if kind == "string" and name in formats.FORMATS:
        pattern = formats.pattern_of(name)
        if pattern:
            given = {"pattern": pattern}
            yield Rule(column.name, "str_matches", given, name=f"format {name}")
    elif kind in NUMBERS and name in formats.WIDTHS:
        low, high = formats.WIDTHS[name]
        given = {"min_value": low, "max_value": high}
        yield Rule(column.name, "in_range", given, name=f"format {name}")
    elif name not in _described(kind):
        allowed = _described(kind) or (formats.FORMATS if kind == "string" else formats.WIDTHS)
        message = f"column '{column.name}': format '{name}' is none of {', '.join(allowed)}"
        raise source.error(path, message)


def _described(kind: str) -> tuple[str, ...]:
    """Return the formats that a type has anyway."""
    floats = ("f32", "f64") if kind in (*FLOATS, "decimal") else ()
    return floats or formats.AS_READ.get(kind, ())


def _quality(
    source: Document, path: Path, column: Column, raw: dict[str, Any], domain: str
) -> Rule:
    severity = severity_of(source, path, column.name, raw)
    text = {"name": raw.get("name", ""), "description": raw.get("description", "")}
    if raw.get("metric") == "invalidValues":
        given = mapping_at(raw, "arguments")
        if raw.get("mustBe") != 0:
            message = f"column '{column.name}': invalidValues is a row rule, so it needs mustBe: 0"
            raise source.error(path, message)
        if "validValues" in given:
            rule = Rule(
                column.name, "isin", {"allowed_values": given["validValues"]}, severity, **text
            )
        elif "pattern" in given:
            rule = Rule(column.name, "str_matches", {"pattern": given["pattern"]}, severity, **text)
        else:
            message = f"column '{column.name}': invalidValues needs validValues or pattern"
            raise source.error(path, message)
        return _checked(source, path, column, rule)
    if raw.get("type") == "custom" and raw.get("engine") == "pandera":
        given = implementation_of(raw, "check")
        name = str(given.pop("check", ""))
        check = named(name)
        if check is not None:
            rule = Rule(column.name, check.name, given, severity, **text)
            return _checked(source, path, column, rule)
        return custom_rule(source, path, Rule(column.name, name, given, severity, **text), domain)
    raise source.error(path, f"column '{column.name}': this kind of quality rule is not known")


def severity_of(source: Document, path: Path, where: str, raw: dict[str, Any]) -> Any:
    """Return what breaking a rule means; raise ContractError for a word that is none of the two."""
    severity = raw.get("severity", "error")
    if severity not in ("error", "warning"):
        raise source.error(path, f"'{where}': severity is error or warning")
    return severity


def _checked(source: Document, path: Path, column: Column, rule: Rule) -> Rule:
    """Return the rule, its flags written into its pattern; raise ContractError for a bad one."""
    check, subject = CHECKS[rule.check], f"column '{column.name}': {rule.check}"
    if not check.accepts(rule.arguments):
        raise source.error(path, f"{subject} takes {', '.join(check.takes) or 'no argument'}")
    if kind_of(column.type) not in check.columns:
        raise source.error(path, f"{subject} does not validate a column of type {column.type}")
    try:
        given = check.given(rule.arguments, column.type)
    except ValueError as error:
        raise source.error(path, f"{subject}: {error}") from None
    problem = check.problem(given) if check.problem else None
    if problem:
        raise source.error(path, f"{subject}: {problem}")
    kinds = {argument: check.takes[argument] for argument in rule.arguments}
    if any(kind == "values" and not given[argument] for argument, kind in kinds.items()):
        raise source.error(path, f"{subject}: the list of values is empty")
    return _with_flags(source, path, rule) if "pattern" in kinds.values() else rule


def _with_flags(source: Document, path: Path, rule: Rule) -> Rule:
    given = dict(rule.arguments)
    flags = given.pop("flags", "")
    if set(flags) - set(patterns.FLAGS):
        message = f"column '{rule.column}': flags '{flags}' are not letters of {patterns.FLAGS}"
        raise source.error(path, message)
    given["pattern"] = patterns.inline(given["pattern"], flags)
    try:
        re.compile(given["pattern"])
    except (re.error, OverflowError) as error:
        raise source.error(path, f"column '{rule.column}': bad pattern: {error}") from None
    return Rule(rule.column, rule.check, given, rule.severity, rule.name, rule.description)
