"""The verb `rebuild`: rebuild a table or slice with all that depends on it, after showing the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Json, examples, read_settings
from cli.confirm import DryRun, Yes, go_on
from cli.output import Progress, console, emit, table

if TYPE_CHECKING:
    from rich.console import Console


def _page(out: Console, plan: dict[str, Any]) -> None:
    where = f" where {plan['where']}" if plan["where"] else ""
    out.print(f"{plan['table']}{where}: {plan['how']}", markup=False)
    if "stored" in plan:
        names = ["stored", "added", "changed", "removed"]
        out.print(table("rows", [f">{name}" for name in names], [[plan[name] for name in names]]))
    for name in plan["dependants"]:
        out.print(f"  {name}: {plan['dependants_how']}", markup=False)


def _done(out: Console, result: dict[str, Any]) -> None:
    lines = [[step["table"], step["written"], step["message"]] for step in result["steps"]]
    out.print(table("", ["table", ">written", "note"], lines))
    run = result["run"]
    out.print(f"run {run}; `lakehouse rollback {run}` rolls it back", markup=False)


def _command(
    name: Annotated[
        str,
        typer.Argument(metavar="TABLE", help="A table of events in silver, or a model of gold."),
    ],
    where: Annotated[
        str,
        typer.Option(help="A condition on the table's columns; the whole table without one."),
    ] = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Rebuild a table or a slice of it, with its keys' rows in gold; the plan is shown first."""
    from operations.rebuild import plan, rebuild

    settings = read_settings()
    with Progress() as progress:
        progress("comparing with bronze")
        chosen = plan(settings, name, where).to_dict()
    if dry_run:
        emit(chosen | {"dry_run": True}, json, _page)
        return
    if not json:
        _page(console(), chosen)
    if not go_on("rebuild this?", yes=yes, as_json=json):
        raise typer.Abort
    with Progress() as progress:
        done = rebuild(settings, name, where, progress)
    emit(done, json, _done)


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    lines = (
        'lakehouse rebuild silver.{domain}__sat_x --where "id = 5" --dry-run',
        'lakehouse rebuild silver.{domain}__sat_x --where "day = 12"',
        "lakehouse rebuild gold.{domain}__fct_x --yes",
    )
    app.command("rebuild", epilog=examples(*lines))(_command)
