"""The report: one HTML page about the lakehouse, with everything it needs inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.storage.atomic_file import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from lakehouse.settings import Settings


def report(settings: Settings, domain: str = "", out: Path | None = None) -> dict[str, Any]:
    """Return the file that was written and its size; the page needs no server and no network."""
    from pages.report.data import collect
    from pages.report.page import render

    file = out or settings.home / "report.html"
    text = render(collect(settings, domain))
    write_text(file, text)
    return {"file": str(file.absolute()), "bytes": len(text.encode())}
