"""The verb `report`: one HTML page about the lakehouse, with everything it needs inside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import AnyDomain, Json, examples, read_settings
from cli.output import emit

if TYPE_CHECKING:
    from lakehouse.settings import Settings

__all__ = ["add_to", "report"]


def report(settings: Settings, domain: str = "", out: Path | None = None) -> dict[str, Any]:
    """Return the file that was written and its size; the page needs no server and no network."""
    from pages.report.data import collect
    from pages.report.page import render

    file = out or settings.home / "report.html"
    text = render(collect(settings, domain))
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)
    return {"file": str(file.absolute()), "bytes": len(text.encode())}


def _command(
    domain: AnyDomain = "",
    out: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Where to write; report.html in the home when left out."),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    json: Json = False,
) -> None:
    """Write one self-contained HTML page: flow, freshness, quarantine, runs, models, scores."""
    written = report(read_settings(), domain, out)
    emit(written, json, lambda console, found: console.print(found["file"], markup=False))
    if show:
        import webbrowser

        webbrowser.open(Path(written["file"]).as_uri())


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    lines = ("lakehouse report", "lakehouse report --open", "lakehouse report --out today.html")
    app.command("report", epilog=examples(*lines))(_command)
