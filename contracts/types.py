"""Spark's short type names: which has every value of another, without a change of its text."""

from __future__ import annotations

import re

INTEGERS = ("tinyint", "smallint", "int", "bigint")
FLOATS = ("float", "double")
LADDERS = (INTEGERS, FLOATS)
SHORT = {"long": "bigint", "integer": "int", "short": "smallint", "byte": "tinyint"}
DECIMAL = re.compile(r"^decimal\((\d+),(\d+)\)$")


def kind_of(spark_type: str) -> str:
    """Return a type without its sizes: `decimal` of `decimal(10,2)`, `array` of `array<int>`."""
    return re.split(r"[(<]", spark_type, maxsplit=1)[0]


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
