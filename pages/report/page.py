"""Renders the report's page from its template."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lakehouse.formatting import age, show, size
from lakehouse.layers import LAYERS
from pages.charts import calibration_picture, flow_picture


def render(content: dict[str, Any]) -> str:
    """Return the page as HTML; every text in it is escaped."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(
        age=age, bytes=size, cell=_cell, instant=_instant, rows=_rows, share=_share
    )
    return templates.get_template("page.html.j2").render(
        **content, layers=LAYERS, flow_picture=flow_picture, calibration=calibration_picture
    )


def _rows(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _instant(value: datetime | str | None) -> str:
    """Return an instant to the minute, in UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    if value is None:
        return ""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _cell(value: Any) -> str:
    """Return a table cell's text; a whole number may be a key and has no separators."""
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return show(value)
