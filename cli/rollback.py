"""The verb `rollback`: roll back a run and what was made from it, after showing the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import Json, examples, read_settings
from cli.confirm import DryRun, Yes, go_on
from cli.output import Progress, console, emit, table

if TYPE_CHECKING:
    from rich.console import Console


def _page(out: Console, plan: dict[str, Any]) -> None:
    names = ["run", "command", "status", "at"]
    runs = [[run[name] for name in names] for run in plan["runs"]]
    out.print(table(f"runs of {plan['domain']} to roll back", names, runs))
    lines = [
        [
            row["table"], row["version"], row["rows"],
            "empty" if row["target"] is None else row["target"], row["rows_after"],
        ]
        for row in plan["tables"]
    ]  # fmt: skip
    if lines:
        columns = ["table", ">version", ">rows", ">target version", ">rows after"]
        out.print(table("tables", columns, lines))
    else:
        out.print("every table is as it was before")
    if plan["files_to_reload"]:
        out.print(f"files that the next run loads again: {len(plan['files_to_reload'])}")
    if plan["files_missing"]:
        listed = ", ".join(plan["files_missing"])
        out.print(f"no longer landed, so they cannot be loaded again: {listed}", markup=False)
    for name, reason in plan["kept"].items():
        out.print(f"kept: {name}, since {reason}", markup=False)


def _done(out: Console, result: dict[str, Any]) -> None:
    again = any(run["command"] == "run" for run in result["runs"])
    out.print(
        f"run {result['rollback']}: {len(result['tables'])} tables are as they were before run "
        f"{result['run']}" + (f"; `lakehouse run {result['domain']}` repeats it" if again else ""),
        markup=False,
    )


def _command(
    run: Annotated[
        int,
        typer.Argument(metavar="RUN", min=1, help="The number of a run: see `lakehouse status`."),
    ],
    yes: Yes = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Restore every table that a run and later ones of its domain wrote to its version before the run."""
    from operations.rollback import roll_back
    from operations.rollback_plan import plan

    settings = read_settings()
    chosen = plan(settings, run).to_dict()
    if dry_run:
        emit(chosen | {"dry_run": True}, json, _page)
        return
    if not json:
        _page(console(), chosen)
    if not go_on("roll this back?", yes=yes, as_json=json):
        raise typer.Abort
    with Progress() as progress:
        done = roll_back(settings, run, progress)
    emit(done, json, _done)


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    lines = (
        "lakehouse rollback 12 --dry-run",
        "lakehouse rollback 12",
        "lakehouse rollback 12 --yes --json",
    )
    app.command("rollback", epilog=examples(*lines))(_command)
