"""Renders the catalog's page from its template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lakehouse.formatting import age, size
from pages.catalog.data import KINDS


def render(content: dict[str, Any]) -> str:
    """Return the page as HTML; every text in it is escaped."""
    here = Path(__file__).parent
    templates = Environment(
        loader=FileSystemLoader([here, here.parent / "report"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(age=age, bytes=size, number=lambda count: f"{count:,}")
    return templates.get_template("catalog.html.j2").render(**content, kinds=KINDS)
