"""Values as a person or JSON reads them: numbers, sizes, ages, instants."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, cast


def plain(value: Any) -> Any:  # noqa: PLR0911 - one return a kind of value
    """Return the value made of what JSON knows: decimals and times as text, bytes as hex."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return {str(key): plain(item) for key, item in items}
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Iterable):
        return [plain(item) for item in cast("Iterable[Any]", value)]
    if hasattr(value, "to_dict"):
        return plain(value.to_dict())
    return str(value)


def show(value: Any) -> str:  # noqa: PLR0911 - one return a kind of value
    """Return a value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.1f}"
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, (Mapping, list, tuple)):
        return json.dumps(plain(value), ensure_ascii=False)
    return str(value)


def size(count: float) -> str:
    """Return a number of bytes with its unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def age(seconds: float | None) -> str:
    """Return how long ago something was, in its two largest units."""
    if seconds is None:
        return ""
    span = timedelta(seconds=max(0, round(seconds)))
    hours, rest = divmod(span.seconds, 3600)
    if span.days:
        return f"{span.days} d {hours} h"
    if hours:
        return f"{hours} h {rest // 60} min"
    return f"{rest // 60} min" if rest >= 60 else f"{rest} s"
