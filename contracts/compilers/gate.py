"""The gate: a contract compiled to SQL that yields null for a good row, its failures for a bad one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.compilers.conditions import violated
from contracts.sql import literal, name
from contracts.types import FLOATS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contracts.model.contract import Cleanse, Column, Contract
    from contracts.model.rules import RowRule, Rule

PLACEHOLDER = "__debezium_unavailable_value"
CODES = "[" + ",".join(str(ord(letter)) for letter in PLACEHOLDER) + "]"
NOTHING = "array(cast(null as string))"
ROW_OPERATIONS = ("c", "u", "d", "r")
# Operations that carry no row: a table was emptied (truncate), a log drops a key (tombstone).
TRUNCATE, TOMBSTONE = "t", "tombstone"


def unchanged_columns(contract: Contract) -> str | None:
    """Return the SQL of the names of a row's unchanged (TOAST) values: an array, or null for none.

    A source does not send a large value that an update did not touch: a placeholder stands for it,
    in an array of numbers the placeholder's character codes. None where no column can have one.
    """
    arms = [
        (f"{name(column.name)} in ({literal(PLACEHOLDER)}, {literal(CODES)})", literal(column.name))
        for column in contract.columns
        if can_be_unchanged(contract, column)
    ]
    if not arms:
        return None
    items = ", ".join(f"case when {condition} then {value} end" for condition, value in arms)
    quick = " or ".join(condition for condition, _ in arms)
    return f"case when {quick} then {_present(items)} end"


def can_be_unchanged(contract: Contract, column: Column) -> bool:
    """Return whether a change log may send a placeholder for a column's unchanged (TOAST) value."""
    logged = any(way.method == "debezium" for way in contract.capture)
    return logged and bool(contract.keys) and column.type == "string" and not column.key


def cleansed(column: Column) -> str:
    """Return the expression of a column after cleansing: trim, null tokens, case, map, default."""
    steps: Cleanse = column.cleanse
    expression = name(column.name)
    if column.type == "string":
        if steps.trim:
            expression = f"trim({expression})"
        for token in steps.null_tokens:
            expression = f"nullif({expression}, {literal(token)})"
        if steps.case:
            expression = f"{steps.case}({expression})"
        if steps.mapping:
            arms = " ".join(f"when {literal(a)} then {literal(b)}" for a, b in steps.mapping)
            expression = f"case {expression} {arms} else {expression} end"
    if steps.default is not None:
        expression = f"coalesce({expression}, cast({literal(steps.default)} as {column.type}))"
    return expression


def good(contract: Contract) -> str:
    """Return the condition that a row breaks no rule of severity error, never null.

    It is `failures(contract) is null` in other words: comparisons alone, without the array of
    reasons, which costs a write of good rows several times as much even where it stays empty.
    """
    bad = [f"coalesce(_op not in ({_listed(ROW_OPERATIONS)}), true)"]
    alive: list[str] = []
    kept = ["_line", *(column.name for column in contract.columns if _always(contract, column))]
    bad.append(_rescued_any(kept))
    lost = [column.name for column in contract.columns if not _always(contract, column)]
    if lost:
        alive.append(_rescued_any(lost))
    for column in contract.columns:
        for rule in contract.rules:
            if rule.severity == "error" and rule.column == column.name:
                (bad if _always(contract, column) else alive).append(
                    _broken(contract, rule, column)
                )
    for rule in contract.row_rules:
        if rule.severity == "error":
            (bad if contract.keyless else alive).append(_row_broken(contract, rule))
    if alive:
        bad.append(f"_op <> 'd' and ({_any(alive)})")
    # Nearly every row is good by the first half, so the second is hardly ever evaluated.
    return f"(not ({_any(bad)}) or {_empty()})"


def failures(contract: Contract) -> str:
    """Return the expression of a row's failures: null, or an array of (column, rule, value).

    A delete carries its key only, so only the key's rules hold for it; without a key it carries
    the row, and all do. A truncate and a tombstone carry nothing, so none does.
    """
    unknown = f"(_op is null or _op not in ({_listed(ROW_OPERATIONS)}))"
    readable = "(_rescued is null or _rescued['_line'] is null)"
    reasons = [
        ("_rescued['_line'] is not null", _struct("_line", "unreadable", "_rescued['_line']")),
        (f"{readable} and {unknown}", _struct("_op", "operation", "_op")),
    ]
    for column in contract.columns:
        only_alive = "" if _always(contract, column) else "_op <> 'd' and "
        rescued = f"_rescued[{literal(column.name)}]"
        reasons.append(
            (
                f"{only_alive}{rescued} is not null",
                _struct(column.name, f"type {column.type}", rescued),
            )
        )
        for rule in contract.rules:
            if rule.severity == "error" and rule.column == column.name:
                condition = _broken(contract, rule, column)
                if rule.check == "required":
                    # A value of the wrong type, or a line that cannot be read, has one reason.
                    condition = f"{condition} and {rescued} is null and {readable}"
                value = f"cast({name(column.name)} as string)"
                reasons.append(
                    (only_alive + f"({condition})", _struct(column.name, rule.label, value))
                )
    only_alive = "" if contract.keyless else "_op <> 'd' and "
    for rule in contract.row_rules:
        if rule.severity == "error":
            texts = ", ".join(f"coalesce(cast({name(c)} as string), 'null')" for c in rule.columns)
            reason = _struct(", ".join(rule.columns), rule.name, f"concat_ws(', ', {texts})")
            reasons.append((f"{only_alive}({_row_broken(contract, rule)})", reason))
    items = ", ".join(f"case when {condition} then {value} end" for condition, value in reasons)
    return f"case when not {good(contract)} then array_compact(array({items})) end"


def _any(conditions: Iterable[str]) -> str:
    return " or ".join(f"({condition})" for condition in conditions)


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(literal(text) for text in texts)


def _empty() -> str:
    """Return the condition of an event that carries no row, never null."""
    return f"coalesce(_op in ({_listed((TRUNCATE, TOMBSTONE))}), false)"


def _always(contract: Contract, column: Column) -> bool:
    """Return whether a delete carries a column too."""
    return bool(column.key) or contract.keyless


def _rescued_any(names: Iterable[str]) -> str:
    """Return the condition that one of these names has a value of the wrong type, never null.

    Nothing is rescued without a value. Spark compiles no stage that has a function
    of higher order, which would cost more than all rules together.
    """
    return f"_rescued is not null and arrays_overlap(map_keys(_rescued), array({_listed(names)}))"


def _broken(contract: Contract, rule: Rule, column: Column) -> str:
    condition = violated(rule, column)
    if rule.check == "required" and can_be_unchanged(contract, column):
        there = f"array_contains(_unavailable, {literal(column.name)})"
        condition = f"({condition} and not coalesce({there}, false))"
    return condition


def _row_broken(contract: Contract, rule: RowRule) -> str:
    """Return the condition that a row breaks a rule over several columns, never null.

    NaN counts as null here too. A row in which one of the columns is an unchanged (TOAST) value
    does not break the rule: its value is not there to be compared.
    """
    condition = rule.sql
    for column in map(contract.column, rule.columns):
        if column.type in FLOATS:
            value = f"nullif({name(column.name)}, {column.type}('NaN'))"
            condition = condition.replace(name(column.name), value)
    unchanged = [c for c in rule.columns if can_be_unchanged(contract, contract.column(c))]
    broken = f"not coalesce({condition}, true)"
    if unchanged:
        lacks = f"coalesce(arrays_overlap(_unavailable, array({_listed(unchanged)})), false)"
        broken = f"{broken} and not {lacks}"
    return broken


def flags(contract: Contract) -> str:
    """Return the expression of a row's warnings: null, or the names of the rules it breaks."""
    arms = [
        (f"_op <> 'd' and {violated(rule, contract.column(rule.column))}", literal(rule.label))
        for rule in contract.rules
        if rule.severity == "warning"
    ]
    arms += [
        (f"_op <> 'd' and {_row_broken(contract, rule)}", literal(rule.name))
        for rule in contract.row_rules
        if rule.severity == "warning"
    ]
    if not arms:
        return "cast(null as array<string>)"
    any_bad = _any(condition for condition, _ in arms)
    items = ", ".join(f"case when {condition} then {value} end" for condition, value in arms)
    broken = f"array({arms[0][1]})" if len(arms) == 1 else _present(items)
    return f"case when {any_bad} then {broken} end"


def _present(items: str) -> str:
    """Return the expression of the texts that are there, each once.

    array_compact is a function of higher order, with which Spark compiles no stage.
    """
    return f"array_except(array({items}), {NOTHING})"


def _struct(column: str, rule: str, value: str) -> str:
    return f"named_struct('column', {literal(column)}, 'rule', {literal(rule)}, 'value', {value})"
