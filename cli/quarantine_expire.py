"""The verb `quarantine expire`: empty old quarantined rows, after a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Domain, Json, examples, read_settings
from cli.confirm import DryRun, Yes, go_on
from cli.output import Progress, console, emit, table
from operations.quarantine_expiry import age, expire, plan

if TYPE_CHECKING:
    from rich.console import Console


def _page(out: Console, result: dict[str, Any]) -> None:
    if not result["datasets"]:
        out.print("nothing in quarantine is that old")
        return
    lines = [[row["dataset"], row["open"], row["replayed"]] for row in result["datasets"]]
    out.print(table("", ["dataset", ">open rows", ">replayed rows"], lines))
    if result.get("run"):
        out.print(
            f"run {result['run']}; earlier versions of the tables contain the values until "
            "`lakehouse maintain` removes their files",
            markup=False,
        )


def _expire(
    domain: Domain,
    older_than: Annotated[
        str, typer.Option("--older-than", help="As 90d, 12h or 4w, since the row was rejected.")
    ] = "90d",
    yes: Yes = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Expire rows that were rejected long ago: their values go, their reasons and counts stay."""
    settings, span = read_settings(), age(older_than)
    chosen = {"domain": domain, "datasets": plan(settings, domain, span)}
    if dry_run or not chosen["datasets"]:
        emit(chosen | {"run": 0, "dry_run": dry_run}, json, _page)
        return
    if not json:
        _page(console(), chosen)
    if not go_on("remove the values of these rows?", yes=yes, as_json=json):
        raise typer.Abort
    with Progress() as progress:
        done = expire(settings, domain, span, progress)
    emit(done, json, _page)


def add_to(verb: typer.Typer) -> None:
    """Add the verb to `quarantine`."""
    lines = (
        "lakehouse quarantine expire {domain} --dry-run",
        "lakehouse quarantine expire {domain} --older-than 30d --yes",
    )
    verb.command("expire", epilog=examples(*lines))(_expire)
