"""The gate: a contract compiled to SQL that yields null for a good row, its failures for a bad one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.sql import literal, name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.model import Cleanse, Column, Contract, Rule

FAILURE = "array<struct<column:string,rule:string,value:string>>"
UNAVAILABLE = "__debezium_unavailable_value"
CODES = "[" + ",".join(str(ord(letter)) for letter in UNAVAILABLE) + "]"
ROW_OPERATIONS = ("c", "u", "d", "r")
# What says nothing of one row: that a table was emptied, that a log forgets a key.
TRUNCATE, TOMBSTONE = "t", "tombstone"
FLOATS = ("float", "double")


def unavailable(contract: Contract) -> str | None:
    """Return the expression of the columns whose value a change did not carry: their names, or null.

    A source leaves out a large value that an update did not touch: a placeholder stands for it, in
    an array of numbers the placeholder's character codes. None where no column can have one.
    """
    arms = [
        (f"{name(column.name)} in ({literal(UNAVAILABLE)}, {literal(CODES)})", literal(column.name))
        for column in contract.columns
        if can_be_unavailable(contract, column)
    ]
    if not arms:
        return None
    items = ", ".join(f"case when {condition} then {value} end" for condition, value in arms)
    quick = " or ".join(condition for condition, _ in arms)
    return f"case when {quick} then array_compact(array({items})) end"


def can_be_unavailable(contract: Contract, column: Column) -> bool:
    """Return whether a change log may leave a column's value out."""
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


def failures(contract: Contract) -> str:
    """Return the expression of a row's failures: null, or an array of (column, rule, value).

    A delete carries its key only, so only the key's rules hold for it; without a key it carries
    the row, and all do. A truncate and a tombstone carry nothing, so none does. One `or` over all
    rules comes first: a good row pays for the comparisons alone, never for building arrays.
    """
    operations = ", ".join(literal(op) for op in ROW_OPERATIONS)
    unknown = f"(_op is null or _op not in ({operations}))"
    empty = f"coalesce(_op in ({literal(TRUNCATE)}, {literal(TOMBSTONE)}), false)"
    always, alive = [f"_rescued is not null or {unknown}"], []
    readable = "(_rescued is null or _rescued['_line'] is null)"
    reasons = [
        ("_rescued['_line'] is not null", _struct("_line", "unreadable", "_rescued['_line']")),
        (f"{readable} and {unknown}", _struct("_op", "operation", "_op")),
    ]
    for column in contract.columns:
        rescued = f"_rescued[{literal(column.name)}]"
        for condition, rule, value in (
            (f"{rescued} is not null", f"type {column.type}", rescued),
            *_conditions(contract, column),
        ):
            dead_too = column.key or contract.keyless
            only_alive = "" if dead_too else "_op <> 'd' and "
            reasons.append((only_alive + condition, _struct(column.name, rule, value)))
            if value is not rescued:
                (always if dead_too else alive).append(condition)
    quick = " or ".join(always) + (f" or (_op <> 'd' and ({' or '.join(alive)}))" if alive else "")
    items = ", ".join(f"case when {condition} then {value} end" for condition, value in reasons)
    return f"case when not {empty} and ({quick}) then nullif(array_compact(array({items})), cast(array() as {FAILURE})) end"


def _conditions(contract: Contract, column: Column) -> Iterator[tuple[str, str, str]]:
    """Yield (condition of failure, rule, value as text) for each rule of a column."""
    value = name(column.name)
    for rule in contract.rules:
        if rule.severity == "error" and rule.column == column.name:
            condition = violated(rule, column)
            if rule.check == "required":
                # A value of the wrong type, or a line that cannot be read, has one reason, not two.
                kept = f"_rescued[{literal(column.name)}] is null and _rescued['_line'] is null"
                condition = f"({condition} and (_rescued is null or ({kept})))"
                if can_be_unavailable(contract, column):
                    there = f"array_contains(_unavailable, {literal(column.name)})"
                    condition = f"({condition} and not coalesce({there}, false))"
            yield condition, rule.label, f"cast({value} as string)"


def flags(contract: Contract) -> str:
    """Return the expression of a row's warnings: null, or the names of the rules it breaks."""
    arms = [
        (f"_op <> 'd' and {violated(rule, contract.column(rule.column))}", literal(rule.label))
        for rule in contract.rules
        if rule.severity == "warning"
    ]
    if not arms:
        return "cast(null as array<string>)"
    any_bad = " or ".join(f"({condition})" for condition, _ in arms)
    items = ", ".join(f"case when {condition} then {value} end" for condition, value in arms)
    return f"case when {any_bad} then array_compact(array({items})) end"


def _struct(column: str, rule: str, value: str) -> str:
    return f"named_struct('column', {literal(column)}, 'rule', {literal(rule)}, 'value', {value})"


def violated(rule: Rule, column: Column) -> str:
    """Return the condition under which a value breaks a rule; a null breaks `required` only.

    NaN counts as null, as it does in Pandera.
    """
    value = name(column.name)
    absent = f"({value} is null or isnan({value}))" if column.type in FLOATS else f"{value} is null"
    if rule.check == "required":
        return absent
    return f"not {absent} and not ({_holds(rule, value)})"


def _holds(rule: Rule, value: str) -> str:
    given = rule.arguments
    low, high = literal(given.get("min_value")), literal(given.get("max_value"))
    if rule.check == "in_range":
        above = ">=" if given.get("include_min", True) else ">"
        below = "<=" if given.get("include_max", True) else "<"
        return f"{value} {above} {low} and {value} {below} {high}"
    if rule.check in ("isin", "notin"):
        values = given.get("allowed_values") or given.get("forbidden_values") or []
        listed = ", ".join(literal(item) for item in values)
        return f"{value} {'in' if rule.check == 'isin' else 'not in'} ({listed})"
    if rule.check == "str_length":
        return _length(rule, value)
    # Pandera's str_matches anchors at the start only, str_contains nowhere; so does rlike.
    simple = {
        "equal_to": f"{value} = {literal(given.get('value'))}",
        "not_equal_to": f"{value} <> {literal(given.get('value'))}",
        "greater_than": f"{value} > {low}",
        "greater_than_or_equal_to": f"{value} >= {low}",
        "less_than": f"{value} < {high}",
        "less_than_or_equal_to": f"{value} <= {high}",
        "str_matches": f"{value} rlike {literal('^(?:' + str(given.get('pattern')) + ')')}",
        "str_contains": f"{value} rlike {literal(given.get('pattern'))}",
        "str_startswith": f"startswith({value}, {literal(given.get('string'))})",
        "str_endswith": f"endswith({value}, {literal(given.get('string'))})",
    }
    return simple[rule.check]


def _length(rule: Rule, value: str) -> str:
    given = rule.arguments
    if given.get("exact_value") is not None:
        return f"char_length({value}) = {literal(given['exact_value'])}"
    bounds = []
    if given.get("min_value") is not None:
        bounds.append(f"char_length({value}) >= {literal(given['min_value'])}")
    if given.get("max_value") is not None:
        bounds.append(f"char_length({value}) <= {literal(given['max_value'])}")
    return " and ".join(bounds)
