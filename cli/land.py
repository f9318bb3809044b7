"""The verb `land`: land the next days of changes of a sample source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Domain, Json, examples, read_settings
from cli.output import Progress, console, emit
from pipeline.landing import land

if TYPE_CHECKING:
    from rich.console import Console


def _land(
    domain: Domain,
    days: Annotated[
        int | None,
        typer.Option("--days", "-n", min=0, help="How many days; 0 is the snapshot alone."),
    ] = 1,
    everything: Annotated[bool, typer.Option("--all", help="Every day that is left.")] = False,
    scale: Annotated[
        str | None,
        typer.Option(help="small or full; fixed by the first landing.", show_default=False),
    ] = None,
    faults: Annotated[
        int | None,
        typer.Option(
            help="Plant faults by this seed; `audit` compares them with their outcome.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Land the next days of changes of a domain's sample source, the snapshot first."""
    settings = read_settings()
    with Progress() as progress:
        landed = land(
            settings,
            domain,
            days=None if everything else days,
            scale=scale,
            faults=faults,
            progress=progress,
        )
    emit(landed.to_dict(), json, _landed)
    if faults is not None and not json:
        console().print(f"faults are planted: run `lakehouse audit {domain}` after a run")


def _landed(out: Console, result: dict[str, Any]) -> None:
    from cli.output import table
    from lakehouse.formatting import size

    if not result["files"]:
        out.print("nothing left to land")
        return
    days = result.get("days") or []
    span = f"{days[0]} to {days[-1]}" if len(days) > 1 else "".join(days) or "the snapshot"
    total = size(sum(file["bytes"] for file in result["files"]))
    out.print(f"landed {span}: {len(result['files'])} files, {total}")
    out.print(table("", ["dataset", ">rows"], result.get("rows", {}).items()))


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    lines = (
        "lakehouse land {domain}",
        "lakehouse land {domain} --days 3",
        "lakehouse land {domain} --faults 7 --json",
    )
    app.command("land", epilog=examples(*lines))(_land)
