"""Spark types by their short names: kinds, logical types, decimals, and which type widens another."""

from __future__ import annotations

import re

INTEGERS = ("tinyint", "smallint", "int", "bigint")
FLOATS = ("float", "double")
LADDERS = (INTEGERS, FLOATS)
SHORT = {"long": "bigint", "integer": "int", "short": "smallint", "byte": "tinyint"}
LOGICAL = {
    **dict.fromkeys(INTEGERS, "integer"), **dict.fromkeys((*FLOATS, "decimal"), "number"),
    **dict.fromkeys(("string", "binary"), "string"),
    **{kind: kind for kind in ("boolean", "date", "timestamp", "array")},
}  # fmt: skip
DECIMAL = re.compile(r"^decimal\((\d+),(\d+)\)$")


def kind_of(spark_type: str) -> str:
    """Return a type without its sizes: `decimal` of `decimal(10,2)`, `array` of `array<int>`."""
    return re.split(r"[(<]", spark_type, maxsplit=1)[0]


def logical_type(spark_type: str) -> str:
    """Return the logical type that the contract standard (ODCS) has for a Spark type."""
    return LOGICAL.get(kind_of(spark_type), "object")


def decimal(kind: str) -> tuple[int, int] | None:
    """Return (precision, scale) of a decimal type, None for any other."""
    sizes = DECIMAL.match(kind)
    return (int(sizes[1]), int(sizes[2])) if sizes else None


def widens(old: str, new: str) -> bool:
    """Return whether a type has all values of the old one, and more, as the same kind of value.

    Of a decimal neither the digits before the point nor those after it may become fewer.
    """
    for ladder in LADDERS:
        if old in ladder and new in ladder:
            return ladder.index(new) > ladder.index(old)
    before, after = decimal(old), decimal(new)
    if before is None or after is None or before == after:
        return False
    return after[1] >= before[1] and after[0] - after[1] >= before[0] - before[1]


def short(kind: str) -> str:
    """Return Spark's short name of a Delta primitive type."""
    return SHORT.get(kind, kind)
