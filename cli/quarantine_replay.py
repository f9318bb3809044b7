"""The verb `quarantine replay`: validate quarantined rows again under the contracts of today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Domain, Json, examples, read_settings
from cli.confirm import DryRun
from cli.output import Progress, emit, table
from operations.quarantine_replay import replay

if TYPE_CHECKING:
    from rich.console import Console


def _page(out: Console, result: dict[str, Any]) -> None:
    if not result["datasets"]:
        out.print("no open row in quarantine")
        return
    names = ["dataset", ">open", ">would pass" if result["dry_run"] else ">replayed", ">still open"]
    keys = ("dataset", "open", "replayed", "still_open")
    out.print(table("", names, [[row[key] for key in keys] for row in result["datasets"]]))
    for row in result["datasets"]:
        if row["missing"]:
            out.print(
                f"{row['dataset']}: {row['missing']:,} rows are no longer in bronze", markup=False
            )
    if result["run"]:
        out.print(
            f"run {result['run']}; `lakehouse run {result['domain']}` builds gold from them, "
            f"`lakehouse rollback {result['run']}` rolls it back",
            markup=False,
        )
    elif not result["dry_run"]:
        out.print("no further row passes: nothing was written")


def _replay(
    domain: Domain,
    dataset: Annotated[
        str, typer.Argument(help="A dataset of the domain; all of them when omitted.")
    ] = "",
    where: Annotated[
        str,
        typer.Option(help="Only rows with this condition on the quarantine's columns."),
    ] = "",
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Validate open rows again under today's contract, and load those that pass."""
    with Progress() as progress:
        done = replay(read_settings(), domain, dataset, where, dry_run=dry_run, progress=progress)
    emit(done, json, _page)


def add_to(verb: typer.Typer) -> None:
    """Add the verb to `quarantine`."""
    lines = (
        "lakehouse quarantine replay {domain} --dry-run",
        "lakehouse quarantine replay {domain} {dataset} --where \"_source = 'day-7.jsonl'\"",
    )
    verb.command("replay", epilog=examples(*lines))(_replay)
