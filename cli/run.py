"""The verb `run`: run the layers of a domain on their new input, and print the counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Domain, Json, examples, read_settings
from cli.output import Progress, emit
from lakehouse.layers import LAYERS

if TYPE_CHECKING:
    from rich.console import Console


def _page(out: Console, result: dict[str, Any]) -> None:
    """Print a run: a row a gated table, then derived tables, then the seconds."""
    if result["nothing_new"]:
        out.print(f"{result['domain']}: nothing new ({result['seconds']:.1f} s)")
        _print_overdue(out, result)
        return
    from cli.output import table
    from lakehouse.formatting import size

    rows = [
        (
            step["table"], f"{step['input']:,}", f"{step['valid']:,}", f"{step['quarantined']:,}",
            f"{step['superseded']:,}", f"{step['written']:,}", size(step["bytes"]),
            f"{step['seconds']:.1f}",
        )
        for step in sorted(result["steps"], key=lambda step: LAYERS.index(step["layer"]))
    ]  # fmt: skip
    titles = [
        "table",
        ">rows in",
        ">valid",
        ">quarantined",
        ">superseded",
        ">written",
        ">size",
        ">s",
    ]
    out.print(table("", titles, rows))
    for step in result["steps"]:
        if step["operations"]:
            read = f"{step['operations']}; read up to {step['position'] or 'no position'}"
            out.print(f"{step['table']}: {read}", markup=False)
        if step["message"]:
            out.print(f"{step['table']}: {step['message']}")
    _print_overdue(out, result)
    out.print(f"run {result['run']} done in {result['seconds']:.1f} s")


def _print_overdue(out: Console, result: dict[str, Any]) -> None:
    for overdue in result["overdue"]:
        out.print(f"overdue: {overdue}", markup=False)


def _run(
    domain: Domain,
    layer: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this layer: bronze, silver or gold. May be given more than once.",
            show_default=False,
        ),
    ] = None,
    always_on: Annotated[
        bool, typer.Option("--always-on", help="Keep running, and run again when input arrives.")
    ] = False,
    json: Json = False,
) -> None:
    """Run the layers on their new input; end in seconds where there is none."""
    from pipeline.watch import run_domain

    settings = read_settings()
    with Progress() as progress:
        result = run_domain(
            settings, domain, only=layer or (), always_on=always_on, progress=progress
        )
    emit(result.to_dict(), json, _page)


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    lines = (
        "lakehouse run {domain}",
        "lakehouse run {domain} --layer silver",
        "lakehouse run {domain} --always-on",
    )
    app.command("run", epilog=examples(*lines))(_run)
