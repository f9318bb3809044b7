"""SQL text pieces: quoted names, literals, and values as type-stable text for hashing."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from contracts.types import decimal

GHOST = f"unhex('{'00' * 32}')"
INTEGERS = ("tinyint", "smallint", "int", "bigint")
FLOATS = ("float", "double")


def name(text: str) -> str:
    """Return an identifier in back quotes."""
    return "`" + text.replace("`", "``") + "`"


def quoted(text: str) -> str:
    """Return an identifier in double quotes, as DuckDB writes it."""
    return '"' + text.replace('"', '""') + '"'


def literal(value: Any) -> str:  # noqa: PLR0911 - one return a kind of value
    """Return a value as a SQL literal."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        if abs(value) > 2**63 - 1:
            return f"{value}BD"
        return f"{value}L" if abs(value) > 2**31 - 1 else str(value)
    if isinstance(value, float):
        return f"{value!r}D" if math.isfinite(value) else f"double('{value}')"
    if isinstance(value, Decimal):
        return f"{value:f}BD"
    if isinstance(value, datetime):
        return f"timestamp'{value.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"date'{value.isoformat()}'"
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def from_text(text: str, kind: str) -> str:
    """Return the expression of a text read as a type, null where it is none."""
    if kind == "date":
        # Debezium writes a date as 2017-12-28Z, which no cast reads.
        text = f"regexp_replace({text}, 'Z$', '')"
    return text if kind == "string" else f"try_cast({text} as {kind})"


def stable_text(column: str, kind: str) -> str:
    """Return an expression for a value's text that does not depend on the width of its type.

    1 as int and as bigint, 1.5 as decimal(3,1) and as decimal(10,2) have one text each.
    """
    if kind == "string":
        return name(column)
    if kind.startswith("decimal"):
        return _nine_places(name(column), kind)
    if kind == "timestamp":
        return f"cast(unix_micros({name(column)}) as string)"
    if kind == "binary":
        return f"hex({name(column)})"
    if kind.startswith(("array", "map", "struct")):
        return f"to_json({name(column)})"
    return f"cast({name(column)} as string)"


def _nine_places(number: str, kind: str) -> str:
    """Return a decimal's text with nine places and without an exponent.

    Outside ANSI mode, which any library in the process may leave, Spark writes 0E-9 for zero.
    """
    precision, scale = decimal(kind) or (38, 9)
    digits = precision - scale + 9
    if scale <= 6 and digits <= 18:
        # A long in memory, not a big number, which costs more. Only zero is too small for its text.
        wide = f"cast(cast({number} as decimal({digits},9)) as string)"
        return f"if({number} = 0, '0.000000000', {wide})"
    number = f"cast({number} as decimal(38,9))"
    billionths = f"cast(round(abs(cast({number} as double)) * 1e9) as int)"
    billionths = f"lpad(cast({billionths} as string), 3, '0')"
    small = f"concat(if({number} < 0, '-', ''), '0.000000', {billionths})"
    return f"if(abs({number}) < 0.000001BD, {small}, cast({number} as string))"


def hashed(columns: list[tuple[str, str]]) -> str:
    """Return the SHA-256, as 32 bytes, of the columns given as (name, type).

    Each part is written as `length:text`, a null as `-`, so no two different rows share an input.
    """
    parts = []
    for column, kind in columns:
        text = stable_text(column, kind)
        parts.append(f"coalesce(concat(char_length({text}), ':', {text}), '-')")
    return f"unhex(sha2(concat({', '.join(parts) or literal('')}), 256))"
