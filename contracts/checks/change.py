"""How two versions of a rule's arguments are compared and shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contracts.checks.check import Arguments


def shown(arguments: Arguments) -> str:
    """Return arguments in words: the value alone where there is one, `none` where there is none."""
    if len(arguments) == 1:
        return str(next(iter(arguments.values())))
    return ", ".join(f"{name} {value}" for name, value in arguments.items()) or "none"


def is_narrower(before: Arguments, after: Arguments, low: str, high: str) -> bool:
    """Return whether an end of a range is new or moved inwards."""
    if low in after and (low not in before or after[low] > before[low]):
        return True
    return high in after and (high not in before or after[high] < before[high])
