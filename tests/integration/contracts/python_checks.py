"""Checks in Python, as a domain may have them: functions, and one registered with Pandera."""

from __future__ import annotations

from pandera import extensions


def is_even(values):
    """Validate a column at once."""
    return values % 2 == 0


def is_short(value, most=1):
    """Validate one value."""
    return len(value) <= most


def is_any(values):
    """Validate a whole batch, which is no outcome of a row."""
    return bool(values.any())


@extensions.register_check_method(statistics=["total"])
def digits_add_up_to(values, *, total):
    """Validate by an argument that the contract gives."""
    return values.astype(str).map(lambda text: sum(map(int, text.replace("-", "")))) == total
