"""Checks of the items of an array."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from contracts.checks.check import Check
from contracts.checks.ranges import swapped
from contracts.checks.text import sized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.checks.check import Given

ARRAY = ("array",)


def _count(value: str, given: Given) -> str:
    return sized(f"size({value})", given.get("min_items"), given.get("max_items"))


def _in_range(values: Any, *, min_items: Any = None, max_items: Any = None) -> Any:
    sizes = values.map(len)
    return (sizes >= (min_items or 0)) & ((max_items is None) | (sizes <= (max_items or 0)))


def _unique(values: Any) -> Any:
    return values.map(_has_distinct)


def _has_distinct(items: Sequence[Any]) -> bool:
    return len({repr(item) for item in items}) == len(items)


CHECKS = (
    Check(
        "items_in_range",
        columns=ARRAY,
        one_of={"min_items": "size", "max_items": "size"},
        condition=_count,
        function=_in_range,
        problem=partial(swapped, low="min_items", high="max_items"),
        options={"minItems": "min_items", "maxItems": "max_items"},
    ),
    Check(
        "items_unique",
        columns=ARRAY,
        condition=lambda value, _: f"size({value}) = size(array_distinct({value}))",
        function=_unique,
    ),
)
