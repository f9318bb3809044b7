"""The verb `catalog`: one HTML page that describes every dataset, searchable without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.arguments import AnyDomain, Json, examples, read_settings
from cli.output import emit
from pages.catalog import catalog


def _command(
    domain: AnyDomain = "",
    out: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="Where to write; catalog/index.html in the home when omitted."
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    json: Json = False,
) -> None:
    """Write the catalog: columns, rules, owners, lineage, freshness and sample queries."""
    written = catalog(read_settings(), domain, out)
    emit(written, json, lambda console, result: console.print(result["file"], markup=False))
    if show:
        import webbrowser

        webbrowser.open(Path(written["file"]).as_uri())


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    lines = ("lakehouse catalog", "lakehouse catalog --open", "lakehouse catalog {domain} --json")
    app.command("catalog", epilog=examples(*lines))(_command)
