"""The catalog: one HTML page that says what every dataset is, to be searched without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.storage.atomic_file import write_text

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
    write_text(file, text)
    return {
        "file": str(file.absolute()),
        "bytes": len(text.encode()),
        "datasets": [entry["id"] for entry in found["entries"]],
    }
