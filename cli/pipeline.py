"""The verbs that move data: demo, land, run."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Domain, Json, examples, read_settings
from cli.output import Progress, console, emit

if TYPE_CHECKING:
    from rich.console import Console

    from lakehouse.settings import Settings


def land(
    settings: Settings,
    domain: str,
    *,
    days: int | None,
    scale: str | None,
    faults: int | None,
    progress: Progress,
) -> Any:
    """Return what the domain's sample source landed; raise UsageError where it has none."""
    from lakehouse.errors import UsageError
    from lakehouse.runs.lock import exclusive

    name = f"domains.{domain}.source"
    try:
        source = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise
        raise UsageError(
            f"domain '{domain}' has no sample source: put its files below {settings.landing / domain}"
        ) from None
    with exclusive(settings.home, f"{domain}-landing", "land"):
        return source.land(
            settings.landing / domain, days=days, scale=scale, faults=faults, progress=progress
        )


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
            help="Plant faults by this seed; `audit` says what became of them.", show_default=False
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
        console().print(f"faults are planted in it: lakehouse audit {domain}, after a run")


def _landed(out: Console, found: dict[str, Any]) -> None:
    from cli.output import size, table

    if not found["files"]:
        out.print("nothing left to land")
        return
    days = found.get("days") or []
    span = f"{days[0]} to {days[-1]}" if len(days) > 1 else "".join(days) or "the snapshot"
    total = size(sum(file["bytes"] for file in found["files"]))
    out.print(f"landed {span}: {len(found['files'])} files, {total}")
    out.print(table("", ["dataset", ">rows"], found.get("rows", {}).items()))


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
        bool, typer.Option("--always-on", help="Keep running, carrying what arrives as it arrives.")
    ] = False,
    json: Json = False,
) -> None:
    """Carry what is new through the layers; ends in seconds where nothing is."""
    from pipeline.watch import run_domain

    settings = read_settings()
    with Progress() as progress:
        result = run_domain(
            settings, domain, only=layer or (), always_on=always_on, progress=progress
        )
    emit(result.to_dict(), json, getattr(importlib.import_module("pipeline.watch"), "page", None))


def _demo(
    scale: Annotated[
        str, typer.Option(help="tiny (a fortieth of the households), small (a quarter) or full.")
    ] = "small",
    days: Annotated[int, typer.Option("--days", "-n", min=0, help="How many days of changes.")] = 3,
    json: Json = False,
) -> None:
    """Do the whole main job on real data: land, run, train, score; then say what to try next."""
    from lakehouse.errors import UsageError

    if scale not in ("tiny", "small", "full"):
        raise UsageError(f"no scale '{scale}'; there is: tiny, small, full")
    from cli.demo import demo

    settings = read_settings()
    out = console(quiet=json)
    with Progress() as progress:
        result = demo(settings, scale, days, progress, out)
    if json:
        emit(result, as_json=True)


def add_to(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command(
        "demo",
        epilog=examples("lakehouse demo", "lakehouse demo --scale full", "lakehouse demo --json"),
    )(_demo)
    app.command(
        "land",
        epilog=examples(
            "lakehouse land {domain}",
            "lakehouse land {domain} --days 3",
            "lakehouse land {domain} --faults 7 --json",
        ),
    )(_land)
    app.command(
        "run",
        epilog=examples(
            "lakehouse run {domain}",
            "lakehouse run {domain} --layer silver",
            "lakehouse run {domain} --always-on",
        ),
    )(_run)
