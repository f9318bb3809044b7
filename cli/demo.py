"""The verb `demo`: the whole main job on real data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import Json, examples, read_settings
from cli.output import Progress, console, emit

if TYPE_CHECKING:
    pass


def _demo(
    scale: Annotated[
        str, typer.Option(help="tiny (a fortieth of the households), small (a quarter) or full.")
    ] = "small",
    days: Annotated[int, typer.Option("--days", "-n", min=0, help="How many days of changes.")] = 3,
    json: Json = False,
) -> None:
    """Do the whole main job on real data: land, run, train, score; then say what to try next."""
    from cli.walkthrough import demo
    from lakehouse.errors import UsageError

    if scale not in ("tiny", "small", "full"):
        raise UsageError(f"no scale '{scale}'; there is: tiny, small, full")
    settings = read_settings()
    out = console(quiet=json)
    with Progress() as progress:
        result = demo(settings, scale, days, progress, out)
    if json:
        emit(result, as_json=True)


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    lines = ("lakehouse demo", "lakehouse demo --scale full", "lakehouse demo --json")
    app.command("demo", epilog=examples(*lines))(_demo)
