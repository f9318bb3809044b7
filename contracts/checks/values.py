"""Values of rules in the type of their column: from YAML to Python, and from Python to SQL."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from contracts.sql import literal
from contracts.types import FLOATS, INTEGERS, decimal, kind_of

NUMBERS = (*INTEGERS, *FLOATS, "decimal")
ORDERED = (*NUMBERS, "string", "date", "timestamp")
EQUAL = (*ORDERED, "boolean")
TEXT = ("string",)


def typed(value: Any, spark_type: str) -> Any:
    """Return a value from YAML as the column has it; a time without a zone is UTC.

    Raises:
        ValueError: it is no value of that type.
    """
    kind = kind_of(spark_type)
    if isinstance(value, bool) != (kind == "boolean"):
        raise ValueError(f"{value!r} is no {spark_type}")
    if kind in ("date", "timestamp"):
        return _time(value, kind)
    if kind == "string":
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is no text; write '{value}' in quotes")
        return value
    if isinstance(value, bool):
        return value
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"{value!r} is no {spark_type}") from None
    if kind in FLOATS:
        return float(number)
    if kind in INTEGERS and number == number.to_integral_value():
        return int(number)
    return number


def _time(value: Any, kind: str) -> date | datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is no {kind}") from None
    if not isinstance(value, date):
        raise ValueError(f"{value!r} is no {kind}")  # noqa: TRY004 - a wrong value of YAML
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if kind == "timestamp":
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if value.time() != time() or value.tzinfo:
        raise ValueError(f"'{value}' is no date")
    return value.date()


def sql_literal(value: Any, kind: str) -> str:
    """Return a value as a SQL literal that is compared with a column of a type without a cast."""
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
