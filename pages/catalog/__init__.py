"""The catalog: one HTML page that describes every dataset, searchable without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.storage.atomic_file import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from lakehouse.settings import Settings


def catalog(settings: Settings, domain: str = "", out: Path | None = None) -> dict[str, Any]:
    """Write the catalog of one domain or of all; return the file, its size and its datasets."""
    from pages.catalog.data import collect
    from pages.catalog.page import render

    file = out or settings.home / "catalog" / "index.html"
    content = collect(settings, domain)
    text = render(content)
    write_text(file, text)
    return {
        "file": str(file.absolute()),
        "bytes": len(text.encode()),
        "datasets": [entry["id"] for entry in content["entries"]],
    }
