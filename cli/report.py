"""The verb `report`: one HTML page about the lakehouse, with everything it needs inside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.arguments import AnyDomain, Json, examples, read_settings
from cli.output import emit
from pages.report import report


def _command(
    domain: AnyDomain = "",
    out: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Where to write; report.html in the home when omitted."),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    json: Json = False,
) -> None:
    """Write one self-contained HTML page: flow, freshness, quarantine, runs, models, scores."""
    written = report(read_settings(), domain, out)
    emit(written, json, lambda console, result: console.print(result["file"], markup=False))
    if show:
        import webbrowser

        webbrowser.open(Path(written["file"]).as_uri())


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    lines = ("lakehouse report", "lakehouse report --open", "lakehouse report --out today.html")
    app.command("report", epilog=examples(*lines))(_command)
