"""SQL text pieces: quoted names, literals, and texts read as a type."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any


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
