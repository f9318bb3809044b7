"""The catalog: one HTML page that says what every dataset is, to be searched without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from lakehouse.settings import Settings


def catalog(settings: Settings, domain: str = "", out: Path | None = None) -> dict[str, Any]:
    """Write the catalog of one domain or of all; return the file, its size and what is in it."""
    from pages.catalog.data import collect
    from pages.catalog.page import render

    file = out or settings.home / "catalog" / "index.html"
    found = collect(settings, domain)
    text = render(found)
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)
    return {
        "file": str(file.absolute()),
        "bytes": len(text.encode()),
        "datasets": [entry["id"] for entry in found["entries"]],
    }
