"""Pandera's checks of one row: what each takes, of which columns, and values in a column's type."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from contracts.types import FLOATS, INTEGERS

ORDERED = (*INTEGERS, *FLOATS, "decimal", "string", "date", "timestamp")
EQUAL = (*ORDERED, "boolean")
NUMBERS = (*INTEGERS, *FLOATS, "decimal")
TEXT = ("string",)


@dataclass(frozen=True)
class Check:
    """A check: the arguments that it must and may have, and the kinds of column that it judges."""

    needs: tuple[str, ...]
    kinds: tuple[str, ...]
    may: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()

    @property
    def takes(self) -> tuple[str, ...]:
        """Return the names of all arguments."""
        return (*self.needs, *self.may, *self.one_of)


CHECKS = {
    "equal_to": Check(("value",), EQUAL),
    "not_equal_to": Check(("value",), EQUAL),
    "greater_than": Check(("min_value",), ORDERED),
    "greater_than_or_equal_to": Check(("min_value",), ORDERED),
    "less_than": Check(("max_value",), ORDERED),
    "less_than_or_equal_to": Check(("max_value",), ORDERED),
    "in_range": Check(("min_value", "max_value"), ORDERED, may=("include_min", "include_max")),
    "isin": Check(("allowed_values",), EQUAL),
    "notin": Check(("forbidden_values",), EQUAL),
    "str_matches": Check(("pattern",), TEXT, may=("flags",)),
    "str_contains": Check(("pattern",), TEXT, may=("flags",)),
    "str_startswith": Check(("string",), TEXT),
    "str_endswith": Check(("string",), TEXT),
    "str_length": Check((), TEXT, one_of=("min_value", "max_value", "exact_value")),
    # Pandera has no name for these; `contracts.compilers.pandera_schema` registers them with it.
    "multiple_of": Check(("divisor",), (*INTEGERS, "decimal", *FLOATS)),
    "items_in_range": Check((), ("array",), one_of=("min_items", "max_items")),
    "items_unique": Check((), ("array",)),
}
ALIASES = {
    "eq": "equal_to",
    "ne": "not_equal_to",
    "gt": "greater_than",
    "ge": "greater_than_or_equal_to",
    "lt": "less_than",
    "le": "less_than_or_equal_to",
    "between": "in_range",
}
# Arguments that are values of the column, by argument
OF_THE_COLUMN = ("value", "min_value", "max_value", "divisor")
LISTS = ("allowed_values", "forbidden_values")


def kind_of(spark_type: str) -> str:
    """Return a type without its sizes: `decimal` of `decimal(10,2)`, `array` of `array<int>`."""
    return re.split(r"[(<]", spark_type, maxsplit=1)[0]


def typed(value: Any, spark_type: str) -> Any:
    """Return a value from YAML as the column holds it; a time without a zone is UTC.

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
    try:
        number = value if isinstance(value, bool) else Decimal(str(value))
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


def arguments_of(check: str, arguments: dict[str, Any], spark_type: str) -> dict[str, Any]:
    """Return a check's arguments as values of the column's type; raise ValueError for one that is none.

    A null among allowed or forbidden values is left out: no check but `required` judges a null.
    """
    found = dict(arguments)
    if check in ("str_length", "items_in_range"):
        for name, size in found.items():
            if isinstance(size, bool) or not isinstance(size, int) or size < 0:
                raise ValueError(f"{name} {size!r} is no length")
        return found
    for name, value in arguments.items():
        if name in OF_THE_COLUMN:
            found[name] = typed(value, spark_type)
        elif name in LISTS:
            if not isinstance(value, list | tuple):
                raise ValueError(f"{name} is a list")
            found[name] = [typed(item, spark_type) for item in value if item is not None]
        elif name in ("string", "pattern", "flags") and not isinstance(value, str):
            raise ValueError(f"{name} {value!r} is no text; write it in quotes")
        elif name.startswith("include_") and not isinstance(value, bool):
            raise ValueError(f"{name} is true or false")
    return found
