"""The verb `catalog`: one HTML page that says what every dataset is, to be searched without a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import AnyDomain, Json, examples, read_settings
from cli.output import emit

if TYPE_CHECKING:
    from lakehouse.settings import Settings

__all__ = ["add_to", "catalog"]


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


def _command(
    domain: AnyDomain = "",
    out: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="Where to write; catalog/index.html in the home when left out."
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    json: Json = False,
) -> None:
    """Write the catalog: columns, rules, owners, lineage, freshness and sample queries."""
    written = catalog(read_settings(), domain, out)
    emit(written, json, lambda console, found: console.print(found["file"], markup=False))
    if show:
        import webbrowser

        webbrowser.open(Path(written["file"]).as_uri())


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    lines = ("lakehouse catalog", "lakehouse catalog --open", "lakehouse catalog {domain} --json")
    app.command("catalog", epilog=examples(*lines))(_command)
